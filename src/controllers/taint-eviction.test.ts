import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLUSTER_SETTINGS_NAME, type ClusterSettings, clusterSettings } from "../model/cluster-settings.ts";
import { events } from "../model/event.ts";
import { kernelKinds } from "../model/kinds.ts";
import { keyOf } from "../model/meta.ts";
import { nodes, type Taint } from "../model/node.ts";
import { pods, type Toleration } from "../model/pod.ts";
import { testNode, testPod } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import type { Requeue } from "./controller.ts";
import { taintEviction } from "./taint-eviction.ts";

const MAINTENANCE: Taint = { key: "maintenance", value: "yes", effect: "NoExecute" };

async function open(tolerations: Readonly<Record<string, readonly Toleration[]>>, ready = true) {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("taint"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const controller = taintEviction();
  await store.update((tx) => {
    tx.create(nodes, testNode({ name: "n1", ready }));
    for (const [name, given] of Object.entries(tolerations)) {
      const pod = testPod({ name, spec: { tolerations: given, nodeName: "n1" } });
      tx.create(pods, { ...pod, status: { phase: "Running" } });
    }
  });
  const taint = (...taints: readonly Taint[]) =>
    store.update((tx) => {
      const node = tx.get(nodes, "n1");
      if (node) tx.update(nodes, { ...node, spec: { ...node.spec, taints } });
    });
  const reconcile = async () =>
    (
      await store.update((tx): { requeue: Requeue | undefined } => ({
        requeue: controller.reconcile("n1", tx, { random, log }),
      }))
    ).requeue;
  const going = () =>
    store
      .list(pods)
      .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
      .map(keyOf);
  return { store, clock, taint, reconcile, going, there: () => store.list(pods).map(keyOf) };
}

describe("a NoExecute taint that somebody sets", () => {
  test("makes the pods go that do not tolerate it, and says so", async () => {
    const { store, taint, reconcile, going } = await open({
      plain: [],
      other: [{ key: "maintenance", value: "no" }],
      tolerant: [{ key: "maintenance", operator: "Exists" }],
      all: [{ operator: "Exists" }],
    });
    await taint(MAINTENANCE);
    await reconcile();
    assert.deepEqual(going(), ["default/other", "default/plain"]);
    assert.deepEqual(new Set(store.list(events).map(({ reason }) => reason)), new Set(["TaintManagerEviction"]));
  });

  test("leaves a pod as long as its shortest toleration says, counted from when the taint was set", async () => {
    const seconds = (tolerationSeconds: number) => ({ key: "maintenance", value: "yes", tolerationSeconds });
    const { store, clock, taint, reconcile, going } = await open({ short: [seconds(60), seconds(30)] });
    await taint(MAINTENANCE);
    assert.deepEqual(await reconcile(), { afterMs: 30_000 });
    assert.ok(store.get(nodes, "n1")?.spec.taints?.[0]?.timeAdded);
    await clock.advance(20_000);
    assert.deepEqual(await reconcile(), { afterMs: 10_000 });
    assert.deepEqual(going(), []);
    await clock.advance(10_000);
    await reconcile();
    assert.deepEqual(going(), ["default/short"]);
  });

  test("the taints of silence, other effects, and a node that is silent are not its business", async () => {
    const ready = await open({ plain: [] });
    await ready.taint(
      { key: "node.kubernetes.io/unreachable", effect: "NoExecute" },
      { key: "node.kubernetes.io/not-ready", effect: "NoExecute" },
      { key: "maintenance", effect: "NoSchedule" },
    );
    await ready.reconcile();
    assert.deepEqual(ready.going(), []);
    const silent = await open({ plain: [] }, false);
    await silent.taint(MAINTENANCE);
    await silent.reconcile();
    assert.deepEqual(silent.going(), []);
  });

  test("evicts at the pace that moves have", async () => {
    const { store, clock, taint, reconcile, going } = await open({ a: [], b: [], c: [] });
    await store.update((tx) =>
      tx.create<ClusterSettings>(clusterSettings, {
        apiVersion: "styrmann.dev/v1",
        kind: "ClusterSettings",
        metadata: { name: CLUSTER_SETTINGS_NAME },
        spec: { movesBurst: 2, movesPerSecond: 1 },
      }),
    );
    await taint(MAINTENANCE);
    assert.deepEqual(await reconcile(), { afterMs: 1000 });
    assert.deepEqual(going(), ["default/a", "default/b"]);
    await clock.advance(1000);
    await reconcile();
    assert.deepEqual(going(), ["default/a", "default/b", "default/c"]);
  });
});
