import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kernelKinds } from "../model/kinds.ts";
import { type Namespace, namespaces } from "../model/namespace.ts";
import { pods } from "../model/pod.ts";
import { type ReplicationController, replicationControllers } from "../model/replication-controller.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import type { Requeue } from "./controller.ts";
import { replicationController } from "./replication-controller.ts";

async function open(phase: "Active" | "Terminating" = "Active") {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("rc"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const want = (replicas: number) =>
    store.update((tx) => {
      const before = tx.get(replicationControllers, "default/web");
      if (before) tx.update(replicationControllers, { ...before, spec: { ...before.spec, replicas } });
      else tx.create<ReplicationController>(replicationControllers, draft(replicas));
    });
  const reconcile = () =>
    store.update((tx): { requeue: Requeue | undefined } => ({
      requeue: replicationController.reconcile("default/web", tx, { random, log }),
    }));
  await store.update((tx) =>
    tx.create<Namespace>(namespaces, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "default" },
      spec: {},
      status: { phase },
    }),
  );
  return { store, want, reconcile };
}

function draft(replicas: number) {
  const selector = { app: "web" };
  return {
    apiVersion: "v1",
    kind: "ReplicationController" as const,
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector,
      template: { metadata: { labels: selector }, spec: { containers: [{ name: "main", image: "busybox" }] } },
    },
    status: { replicas: 0 },
  };
}

describe("replication controller", () => {
  test("one transaction makes 500 pods at most, and asks to go on at once until all are there", async () => {
    const { store, want, reconcile } = await open();
    await want(1200);
    assert.deepEqual((await reconcile()).requeue, { afterMs: 0 });
    assert.equal(store.count(pods), 500);
    assert.deepEqual((await reconcile()).requeue, { afterMs: 0 });
    assert.equal((await reconcile()).requeue, undefined);
    assert.equal(store.count(pods), 1200);
    assert.equal(store.get(replicationControllers, "default/web")?.status.replicas, 1200);
  });

  test("one transaction deletes 500 pods at most, too", async () => {
    const { store, want, reconcile } = await open();
    await want(600);
    await reconcile();
    await reconcile();
    await want(0);
    assert.deepEqual((await reconcile()).requeue, { afterMs: 0 });
    assert.equal(store.count(pods), 100);
    assert.equal((await reconcile()).requeue, undefined);
    assert.equal(store.count(pods), 0);
  });

  test("in a namespace that is going away it makes nothing new", async () => {
    const { store, want, reconcile } = await open("Terminating");
    await want(3);
    assert.equal((await reconcile()).requeue, undefined);
    assert.equal(store.count(pods), 0);
  });
});
