import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { overlaps, parseSubnet } from "../lib/subnet.ts";
import { type ClusterNetworkSpec, clusterNetworks } from "../model/cluster-network.ts";
import { kernelKinds } from "../model/kinds.ts";
import { keyOf } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { pods } from "../model/pod.ts";
import { servers } from "../model/server.ts";
import { testNode, testPod } from "../scheduling/test-objects.ts";
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
  const register = (name: string, podCIDR?: string, address?: string) => {
    const draft = testNode({ name });
    const spec = podCIDR === undefined ? {} : { podCIDR };
    const addresses = address === undefined ? draft.status.addresses : [{ type: "InternalIP" as const, address }];
    return store.update((tx) => writeNode(tx, { ...draft, spec, status: { ...draft.status, addresses } }));
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

  const hosts: readonly (readonly [wish: string, why: RegExp])[] = [
    ["10.207.44.0/26", /10\.207\.44\.0\/26, which it asks for, contains 10\.207\.44\.2 of node h2$/],
    ["10.207.44.64/26", /contains 10\.207\.44\.70 of server s1$/],
    ["10.207.45.0/24", /contains 10\.207\.45\.4 of node late itself$/],
    ["9.9.9.0/24", /has addresses that are not for private use$/],
    ["0.0.0.0/0", /overlaps another node's$/],
    ["127.0.0.0/16", /not for private use$/],
  ];
  for (const [wish, why] of hosts)
    test(`a node that asks for ${wish} gets another, and is told why: all hosts would send there what is for those who have it now`, async () => {
      const { store, register, rangeOf } = await cluster();
      await register("h2", "", "10.207.44.2");
      await store.update((tx) =>
        tx.create(servers, {
          ...{ apiVersion: servers.apiVersion, kind: "Server", metadata: { name: "s1" } },
          spec: { url: "https://10.207.44.70:7443", version: "1" },
        }),
      );
      await register("late", wish, "10.207.45.4");
      assert.equal(rangeOf("late"), "10.42.1.0/24");
      const said = store.get(nodes, "late")?.status.conditions.find(({ type }) => type === "NetworkUnavailable");
      assert.equal(said?.status, "False");
      assert.match(said?.message ?? "", why);
    });

  test("a node whose pods have addresses keeps the range of these until they are gone", async () => {
    const { store, register, rangeOf } = await cluster();
    await register("a", "");
    const pod = testPod({ name: "p" });
    const spec = { ...pod.spec, nodeName: "a" };
    await store.update((tx) =>
      tx.create(pods, { ...pod, spec, status: { phase: "Running", hostIP: "10.207.44.2", podIP: "10.42.0.5" } }),
    );
    await register("a", "10.7.0.0/20");
    assert.equal(rangeOf("a"), "10.42.0.0/24");
    await store.update((tx) => tx.remove(pods, keyOf(pod)));
    await register("a", "10.7.0.0/20");
    assert.equal(rangeOf("a"), "10.7.0.0/20");
  });

  test("a WireGuard key that another node has stays that one's", async () => {
    const { store } = await cluster();
    for (const name of ["first", "thief"]) {
      const draft = testNode({ name });
      const network = { wireguardKey: "k=", isWayIn: true as const };
      await store.update((tx) => writeNode(tx, { ...draft, status: { ...draft.status, network } }));
    }
    const keyOfNode = (name: string) => store.get(nodes, name)?.status.network;
    assert.deepEqual(keyOfNode("first"), { wireguardKey: "k=", isWayIn: true });
    assert.deepEqual(keyOfNode("thief"), { isWayIn: true });
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
