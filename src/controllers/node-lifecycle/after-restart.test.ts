/** What a control plane that starts owes to what the one before it has promised and written. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLUSTER_SETTINGS_NAME, clusterSettings } from "../../model/cluster-settings.ts";
import { type Node, nodes } from "../../model/node.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { testClusters } from "./test-clusters.ts";

const cluster = testClusters(["n1", "n2", "n3", "n4", "n5"]);

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

  test("waits no less for a node that said goodbye than it was promised, when the setting is shorter now", async () => {
    const c = await cluster();
    await c.run("db-1", "n1", EXCLUSIVE);
    c.goodbye("n1");
    await c.set({ rebootGraceMs: 20_000 });
    await c.restart();
    await c.advance(170_000);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "restarting");
    assert.deepEqual(c.lost, []);
    await c.advance(12_000);
    assert.deepEqual(c.lost, ["db-1"]);
  });

  test("and not for ever when the wall clock went back meanwhile", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.goodbye("n1");
    await c.advance(1_000);
    const now = c.clock.now.bind(c.clock);
    c.clock.now = () => now() - 30 * 86_400_000;
    await c.restart();
    await c.advance(185_000);
    assert.deepEqual(c.lost, ["web-1"]);
  });
});

describe("a lifecycle that has missed what changed", () => {
  test("looks at everything anew: nodes that came and went, settings, and pods of lost nodes", async () => {
    const c = await cluster({ historyLimit: 10 });
    c.silence("n1", "n6");
    await c.advance(10_000);
    await c.store.update((tx) => {
      const five = tx.get(nodes, "n5") ?? assert.fail("it is there");
      const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, ...metadata } = five.metadata;
      tx.remove(nodes, "n5");
      tx.create<Node>(nodes, { ...five, metadata: { ...metadata, name: "n6" } });
      const settings = tx.get(clusterSettings, CLUSTER_SETTINGS_NAME) ?? assert.fail("it is there");
      tx.update(clusterSettings, { ...settings, spec: { ...settings.spec, unreachableAfterMs: 4_000 } });
      for (let n = 0; n < 30; n++) tx.create<Pod>(pods, boundTo("n1", `web-${n}`));
    });
    await c.clock.settle();
    assert.equal(c.lifecycle.stateOf("n5"), undefined);
    assert.notEqual(c.lifecycle.stateOf("n6"), undefined);
    await c.advance(1_000);
    assert.equal(c.lost.length, 30);
    c.silence("n2");
    await c.advance(5_000);
    assert.equal(c.lifecycle.stateOf("n2")?.state, "unreachable");
  });
});

function boundTo(nodeName: string, name: string) {
  const reference = { apiVersion: "v1", kind: "ReplicationController", name: "web", uid: "web", controller: true };
  return {
    apiVersion: "v1",
    kind: "Pod" as const,
    metadata: { name, namespace: "default", ownerReferences: [reference] },
    spec: { containers: [{ name: "main", image: "busybox" }], nodeName },
    status: { phase: "Running" as const },
  };
}
