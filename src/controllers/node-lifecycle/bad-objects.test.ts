/** What one node's object or one node's agent says must not stop or burden what is done for the others. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { type Node, nodes } from "../../model/node.ts";
import { MemoryJournal } from "../../store/journals/memory.ts";
import { TestCluster } from "./test-cluster.ts";

const open: TestCluster[] = [];

async function cluster(): Promise<TestCluster> {
  const made = await TestCluster.open({ nodes: ["n1", "n2", "n3", "n4", "n5"], journal: new MemoryJournal() });
  open.push(made);
  return made;
}

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

test("a node whose object cannot be read stops nothing, now and after a restart", async () => {
  const c = await cluster();
  const bad = { ...c.node("n1"), metadata: { name: "bad" }, spec: { taints: 5 } };
  await c.store.update((tx) => tx.create<Node>(nodes, bad as unknown as Node));
  await c.run("web-1", "n2");
  await c.advance(1_000);
  await c.restart();
  await c.advance(30_000);
  c.silence("n2");
  await c.advance(20_000);
  assert.deepEqual(c.lost, ["web-1"]);
});

test("a node that says with every heartbeat that it was started anew writes that once in a while", async () => {
  const c = await cluster();
  const before = c.store.revision;
  for (let at = 0; at < 50; at++) await c.back("n1", true);
  assert.ok(c.store.revision - before <= 4, `${c.store.revision - before} writes`);
});
