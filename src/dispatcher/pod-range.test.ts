import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { overlaps, parseSubnet } from "../lib/subnet.ts";
import { type ClusterNetworkSpec, clusterNetworks } from "../model/cluster-network.ts";
import { kernelKinds } from "../model/kinds.ts";
import { type Node, nodes } from "../model/node.ts";
import { testNode } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { writeNode } from "./write-node.ts";

async function cluster(spec: Partial<ClusterNetworkSpec> = {}) {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("ranges"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const { apiVersion } = clusterNetworks;
  await store.update((tx) =>
    tx.create(clusterNetworks, { apiVersion, kind: "ClusterNetwork", metadata: { name: "cluster" }, spec }),
  );
  const register = (name: string, podCIDR?: string) => {
    const draft = testNode({ name });
    return store.update((tx) => writeNode(tx, { ...draft, spec: podCIDR === undefined ? {} : { podCIDR } }));
  };
  const rangeOf = (name: string) => store.get(nodes, name)?.spec.podCIDR;
  return { store, register, rangeOf };
}

describe("pod ranges of nodes", () => {
  test("each node is given the next free part, and a gap that a node left is filled", async () => {
    const { store, register, rangeOf } = await cluster();
    for (const name of ["a", "b", "c"]) await register(name, "");
    assert.deepEqual(["a", "b", "c"].map(rangeOf), ["10.42.0.0/24", "10.42.1.0/24", "10.42.2.0/24"]);
    await store.update((tx) => tx.remove(nodes, "b"));
    await register("d", "");
    assert.equal(rangeOf("d"), "10.42.1.0/24");
    assert.deepEqual(store.get(nodes, "d")?.spec.podCIDRs, ["10.42.1.0/24"]);
  });

  test("a node keeps its range, whatever it says of it later, as long as it asks for no other that is free", async () => {
    const { register, rangeOf } = await cluster();
    await register("a", "");
    await register("b", "10.42.0.0/24");
    assert.equal(rangeOf("b"), "10.42.1.0/24", "every host had 10.42.0.0/24 before there was a network of the cluster");
    await register("b");
    await register("b", "");
    assert.equal(rangeOf("b"), "10.42.1.0/24");
    await register("b", "10.7.0.0/20");
    assert.equal(rangeOf("b"), "10.7.0.0/20", "outside of the cluster's range, when somebody wants it so");
    await register("b", "10.96.0.0/16");
    assert.equal(rangeOf("b"), "10.7.0.0/20", "the addresses of Services are none of a node's");
  });

  test("a node that does not ask takes none", async () => {
    const { register, rangeOf } = await cluster();
    await register("apart");
    assert.equal(rangeOf("apart"), undefined);
  });

  test("when all are given, the next is told which range is full and of how many nodes, and comes in all the same", async () => {
    const { store, register, rangeOf } = await cluster({ clusterRange: "10.42.0.0/24", nodePrefix: 25 });
    for (const name of ["a", "b", "late"]) await register(name, "");
    assert.equal(rangeOf("late"), undefined);
    const refused = store.get(nodes, "late")?.status.conditions.find(({ type }) => type === "NetworkUnavailable");
    assert.equal(refused?.status, "True");
    assert.match(
      refused?.message ?? "",
      /^no pod range is left: the cluster range 10\.42\.0\.0\/24 has 2 of \/25, and 2 nodes have them all; forget nodes/,
    );
    await store.update((tx) => tx.remove(nodes, "a"));
    await register("late", "");
    assert.equal(rangeOf("late"), "10.42.0.0/25");
    const now = store.get(nodes, "late")?.status.conditions.find(({ type }) => type === "NetworkUnavailable");
    assert.equal(now?.status, "False");
  });

  test("no two nodes ever overlap, whatever they ask for and however many ask at once", async () => {
    const wish = fc.constantFrom("", "10.42.0.0/24", "10.42.1.0/25", "10.42.0.0/16", "10.42.3.0/24", "10.9.0.0/24");
    const step = fc.record({ name: fc.constantFrom(..."abcdefgh"), wish, goes: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { store, register } = await cluster({ clusterRange: "10.42.0.0/21" });
        await Promise.all(
          steps.map(({ name, wish: asked, goes }) =>
            goes ? store.update((tx) => tx.remove(nodes, name)) : register(name, asked),
          ),
        );
        const held = store.list(nodes).flatMap((node: Node) => parseSubnet(node.spec.podCIDR ?? "") ?? []);
        for (const [at, one] of held.entries())
          for (const other of held.slice(at + 1)) assert.ok(!overlaps(one, other), `${one.text} and ${other.text}`);
      }),
      { numRuns: 60 },
    );
  });
});
