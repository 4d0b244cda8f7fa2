import assert from "node:assert/strict";
import { test } from "node:test";
import { nodes } from "../model/node.ts";
import { pods } from "../model/pod.ts";
import { testNode, testPod } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { ControlPlane } from "./control-plane.ts";
import { LateNodeAccess } from "./late-node-access.ts";

test("the control plane evicts for NoExecute taints, and shows a cordon as a taint", async () => {
  const clock = new ManualClock();
  const plane = await ControlPlane.open({
    journal: new MemoryJournal(),
    clock,
    random: new SeededRandom("taints"),
    log: silentLog,
    personalities: [],
    strategy: "spread",
    address: "127.0.0.1:1",
    hostname: "server",
    version: "0",
    nodeAccess: new LateNodeAccess(),
    processFacts: { read: () => ({ lagMs: 0, memoryBytes: 0 }), stop() {} },
  });
  plane.start();
  const { store } = plane;
  await store.update((tx) => {
    const node = testNode({ name: "n1", taints: [{ key: "maintenance", effect: "NoExecute" }] });
    tx.create(nodes, { ...node, spec: { ...node.spec, unschedulable: true } });
    const pod = testPod({ name: "p", spec: { nodeName: "n1" } });
    tx.create(pods, { ...pod, status: { phase: "Running" } });
  });
  await clock.advance(1000);
  assert.ok(store.get(pods, "default/p")?.metadata.deletionTimestamp);
  const keys = store.get(nodes, "n1")?.spec.taints?.map(({ key }) => key);
  assert.deepEqual(keys, ["maintenance", "node.kubernetes.io/unschedulable"]);
  await plane.stop();
});
