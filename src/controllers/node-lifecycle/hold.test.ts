/** Who belongs to a hold of the brake, from its beginning to its end. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nodes } from "../../model/node.ts";
import type { TestCluster } from "./test-cluster.ts";
import { testClusters } from "./test-clusters.ts";

const FIVE = ["n1", "n2", "n3", "n4", "n5"];
const cluster = testClusters(FIVE);

const held = (c: TestCluster) => c.lifecycle.brake?.nodes ?? [];

/** Five nodes with a pod each, of which the first three are silent and held. */
async function threeHeld(): Promise<TestCluster> {
  const c = await cluster();
  for (const n of [1, 2, 3, 4, 5]) await c.run(`web-${n}`, `n${n}`);
  c.silence("n1", "n2", "n3");
  await c.advance(15_000);
  assert.deepEqual(held(c), ["n1", "n2", "n3"]);
  return c;
}

describe("a hold of the brake", () => {
  test("takes in whoever falls silent while it lasts: nothing of theirs is moved either", async () => {
    const c = await threeHeld();
    c.silence("n4");
    await c.advance(30_000);
    assert.deepEqual(held(c), ["n1", "n2", "n3", "n4"]);
    assert.deepEqual(c.lost, []);
    assert.equal(c.condition(c.node("n4"), "Ready"), "Unknown BrakeHolds");
    assert.match(c.lifecycle.brake?.words ?? "", /^4 of 5 nodes fell silent/);
  });

  test("also long after its window, when those that began it are no news any more", async () => {
    const c = await threeHeld();
    await c.advance(200_000);
    c.silence("n4");
    await c.advance(30_000);
    assert.deepEqual(held(c), ["n1", "n2", "n3", "n4"]);
    assert.deepEqual(c.lost, []);
  });

  test("does not end because a person takes one of its nodes out of the cluster: that brings none back", async () => {
    const c = await threeHeld();
    await c.store.update((tx) => tx.remove(nodes, "n1"));
    await c.advance(60_000);
    assert.deepEqual(held(c), ["n2", "n3"]);
    assert.match(c.lifecycle.brake?.words ?? "", /^3 of 5 nodes fell silent/);
    assert.deepEqual(c.lost, []);
    await c.back("n2");
    assert.deepEqual(held(c), []);
    await c.advance(10_000);
    assert.deepEqual(c.lost, ["web-3"]);
  });

  test("ends when a person has taken all of them out", async () => {
    const c = await threeHeld();
    for (const name of ["n1", "n2", "n3"]) await c.store.update((tx) => tx.remove(nodes, name));
    await c.advance(1_000);
    assert.equal(c.lifecycle.brake, undefined);
    assert.equal(c.events("BrakeEnded").length, 1);
  });

  test("ends when a person chooses that so many are not too many", async () => {
    const c = await threeHeld();
    await c.set({ brakeShare: 0.9 });
    await c.advance(1_000);
    assert.deepEqual(held(c), []);
    assert.equal(c.events("BrakeEnded").length, 1);
    await c.advance(10_000);
    assert.deepEqual(c.lost, ["web-1", "web-2", "web-3"]);
  });

  test("counts against the cluster as it is: with one more that beats, three silent ones are not too many", async () => {
    const c = await threeHeld();
    await c.addNode({ name: "n6" });
    await c.advance(2_000);
    assert.deepEqual(held(c), []);
    await c.advance(10_000);
    assert.deepEqual(c.lost, ["web-1", "web-2", "web-3"]);
  });

  test("leaves those that are still silent as they are when it ends: nobody has heard of them", async () => {
    const c = await threeHeld();
    await c.back("n3");
    await c.advance(2_000);
    assert.deepEqual(held(c), []);
    assert.equal(c.condition(c.node("n1"), "Ready"), "Unknown BrakeHolds", "it is silent, and that is what it says");
    await c.back("n1");
    assert.equal(c.condition(c.node("n1"), "Ready"), "True AgentReady");
    await c.advance(20_000);
    assert.deepEqual(c.lost, ["web-2"]);
  });

  test("counts a node again that a person had given up and that has come back since", async () => {
    const c = await threeHeld();
    assert.equal(c.lifecycle.releaseBrake(undefined, "alice").length, 3);
    await c.advance(2_000);
    assert.deepEqual(c.lost, ["web-1", "web-2", "web-3"]);
    for (const n of [1, 2, 3]) await c.back(`n${n}`);
    await c.advance(30_000);
    assert.deepEqual(c.lost, []);
    c.silence("n1", "n2", "n3");
    await c.advance(60_000);
    assert.deepEqual(held(c), ["n1", "n2", "n3"], "the word of a person was about the silence before");
    assert.deepEqual(c.lost, []);
  });

  test("makes a goodbye come too late: the node was silent before it", async () => {
    const c = await threeHeld();
    assert.throws(() => c.goodbye("n1"), /too late/);
    await c.advance(60_000);
    assert.deepEqual(held(c), ["n1", "n2", "n3"]);
  });
});
