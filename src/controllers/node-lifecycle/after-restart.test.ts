/** What a control plane that starts owes to what the one before it has promised and written. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { type ClusterOptions, TestCluster } from "./test-cluster.ts";

const open: TestCluster[] = [];

async function cluster(options: Partial<ClusterOptions> = {}): Promise<TestCluster> {
  const made = await TestCluster.open({ nodes: ["n1", "n2", "n3", "n4", "n5"], ...options });
  open.push(made);
  return made;
}

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const EXCLUSIVE = { owner: "db", spec: { exclusive: true } } as const;

describe("a control plane that starts", () => {
  test("gives no exclusive pod away before the terms are over that an agent may have of the one before", async () => {
    const c = await cluster();
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    // The agent has never heard of it: it goes by 40 s.
    await c.set({ exclusiveAfterMs: 12_000 });
    await c.restart();
    await c.advance(38_000);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "unreachable");
    assert.deepEqual(c.lost, []);
    await c.advance(4_000);
    assert.deepEqual(c.lost, ["db-1"]);
  });

  test("renews nothing for a node whose exclusive pod was given away, before that pod is on its way out there", async () => {
    const c = await cluster();
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.advance(45_000);
    assert.deepEqual(c.lost, ["db-1"]);
    await c.restart();
    assert.equal((await c.back("n1")).renewed, false);
    assert.notEqual(c.pod("db-1")?.metadata.deletionTimestamp, undefined);
    assert.equal(c.beat("n1").renewed, true);
  });

  test("goes on to take back what was lost on a node that has returned to the one before", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.silence("n1");
    await c.advance(14_000);
    await c.back("n1");
    assert.equal(c.condition(c.node("n1"), "Ready"), "True AgentReady");
    assert.deepEqual(c.lost, ["web-1"], "its agent has not told yet how it is");
    await c.restart();
    await c.advance(2_000);
    assert.deepEqual(c.lost, ["web-1"]);
    await c.report("web-1");
    await c.advance(1_000);
    assert.equal(c.disruption("web-1"), "False NodeReturned");
  });

  test("takes it back in the end also when nothing is told of it", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.silence("n1");
    await c.advance(14_000);
    await c.back("n1");
    await c.restart();
    await c.advance(13_000);
    assert.equal(c.disruption("web-1"), "False NodeReturned");
  });
});
