import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLUSTER_SETTINGS_NAME, type ClusterSettings, clusterSettings } from "../model/cluster-settings.ts";
import { withDisruption, withoutDisruption } from "../model/disruption.ts";
import { events } from "../model/event.ts";
import { kernelKinds } from "../model/kinds.ts";
import { keyOf } from "../model/meta.ts";
import { type Namespace, namespaces } from "../model/namespace.ts";
import { type Pod, type PodSpec, pods } from "../model/pod.ts";
import { type ReplicationController, replicationControllers } from "../model/replication-controller.ts";
import { EXCLUSIVE_ANNOTATION } from "../model/when-unreachable.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import type { Requeue } from "./controller.ts";
import { replicationController } from "./replication-controller.ts";

async function open(phase: "Active" | "Terminating" = "Active", more: Partial<PodSpec> = {}) {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("rc"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const want = (replicas: number) =>
    store.update((tx) => {
      const before = tx.get(replicationControllers, "default/web");
      if (before) tx.update(replicationControllers, { ...before, spec: { ...before.spec, replicas } });
      else tx.create<ReplicationController>(replicationControllers, draft(replicas, more));
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
  const change = (pod: Pod | undefined, to: (pod: Pod) => Pod) =>
    store.update((tx) => {
      const present = pod && tx.get(pods, keyOf(pod));
      if (present) tx.update(pods, to(present));
    });
  return { store, want, reconcile, change };
}

function draft(replicas: number, more: Partial<PodSpec>) {
  const selector = { app: "web" };
  return {
    apiVersion: "v1",
    kind: "ReplicationController" as const,
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector,
      template: { metadata: { labels: selector }, spec: { containers: [{ name: "main", image: "busybox" }], ...more } },
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

  test("a copy that is to be replaced does not count: another is made, and the old one is left to whoever said so", async () => {
    const { store, want, reconcile, change } = await open();
    await want(2);
    await reconcile();
    const [first] = store.list(pods);
    await change(first, (pod) => withDisruption(pod, "NodeUnreachable", "", 0));
    await reconcile();
    assert.equal(store.count(pods), 3);
    assert.equal(store.get(replicationControllers, "default/web")?.status.replicas, 2);
    await change(first, (pod) => withoutDisruption(pod, 0, true));
    await reconcile();
    assert.equal(store.count(pods), 2, "one too many when it is back");
  });

  test("of an exclusive pod the next copy is made when the one before is gone, or was given away", async () => {
    const { store, want, reconcile, change } = await open("Active", { exclusive: true });
    await want(1);
    await reconcile();
    const [first] = store.list(pods);
    await change(first, (pod) => ({ ...pod, spec: { ...pod.spec, nodeName: "n1" } }));
    await change(first, (pod) => withDisruption(pod, "Drain", "", 0));
    await reconcile();
    assert.equal(store.count(pods), 1, "it runs on until it is stopped");
    const deletionTimestamp = "2026-01-01T00:01:00Z";
    await change(first, (pod) => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp } }));
    await reconcile();
    assert.equal(store.count(pods), 1, "it is still being stopped");
    await change(first, (pod) => withDisruption(pod, "NodeUnreachable", "", 0));
    await reconcile();
    assert.equal(store.count(pods), 2);
  });

  test("a copy that was made before the template became exclusive, and is lost, still holds the one place", async () => {
    const { store, want, reconcile, change } = await open();
    await want(1);
    await reconcile();
    const [first] = store.list(pods);
    await store.update((tx) => {
      const rc = tx.get(replicationControllers, "default/web");
      if (!rc) return;
      const metadata = { ...rc.spec.template.metadata, annotations: { [EXCLUSIVE_ANNOTATION]: "true" } };
      tx.update(replicationControllers, { ...rc, spec: { ...rc.spec, template: { ...rc.spec.template, metadata } } });
    });
    await change(first, (pod) => withDisruption(pod, "NodeUnreachable", "", 0));
    await reconcile();
    assert.equal(store.count(pods), 1, "nobody stopped it: it may run");
    await store.update((tx) => tx.remove(pods, `default/${first?.metadata.name}`));
    await reconcile();
    assert.equal(store.count(pods), 1, "its successor");
  });

  for (const [what, isOrphaned] of [
    ["deleted with its pods", false],
    ["deleted, its pods orphaned and then deleted by themselves", true],
  ] as const)
    test(`a controller that was ${what}, and is applied again, makes no copy beside the exclusive one that may run`, async () => {
      const { store, want, reconcile, change } = await open("Active", { exclusive: true });
      await want(1);
      await reconcile();
      const [first] = store.list(pods);
      await change(first, (pod) => ({ ...pod, spec: { ...pod.spec, nodeName: "n1" } }));
      await store.update((tx) => tx.remove(replicationControllers, "default/web"));
      await change(first, ({ metadata: { ownerReferences = [], ...metadata }, ...pod }) => ({
        ...pod,
        metadata: {
          ...metadata,
          deletionTimestamp: "2026-01-01T00:01:00Z",
          ...(isOrphaned ? {} : { ownerReferences }),
        },
      }));
      await want(1);
      await reconcile();
      assert.equal(store.count(pods), 1, "the earlier one is still being stopped");
      await change(first, (pod) => withDisruption(pod, "NodeUnreachable", "", 0));
      await reconcile();
      assert.equal(store.count(pods), 2, "it was given away");
    });

  test("the exclusive pod of an earlier controller of the name holds the place whatever its labels, and of one with other pods its own", async () => {
    const { store, want, reconcile, change } = await open("Active", { exclusive: true });
    await want(1);
    await reconcile();
    const [first] = store.list(pods);
    const labelled = (labels: Record<string, string>, owner: string) =>
      change(first, (pod) => {
        const [reference] = pod.metadata.ownerReferences ?? [];
        if (!reference) return pod;
        const ownerReferences = [{ ...reference, name: owner }];
        return { ...pod, metadata: { ...pod.metadata, labels, ownerReferences } };
      });
    await store.update((tx) => tx.remove(replicationControllers, "default/web"));
    await labelled({ app: "old" }, "web");
    await want(1);
    await reconcile();
    assert.equal(store.count(pods), 1, "the name is the same");
    await labelled({ app: "web" }, "web-old");
    await reconcile();
    assert.equal(store.count(pods), 1, "the labels are the same");
    await labelled({ app: "old" }, "web-old");
    await reconcile();
    assert.equal(store.count(pods), 2, "it is another thing");
  });

  test("an exclusive pod that no longer matches its controller's selector is not let go, and holds its place", async () => {
    const { store, want, reconcile, change } = await open("Active", { exclusive: true });
    await want(1);
    await reconcile();
    const [first] = store.list(pods);
    await change(first, (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: { app: "other" } } }));
    await reconcile();
    assert.equal(store.count(pods), 1);
    const kept = store.list(pods)[0]?.metadata.ownerReferences;
    assert.deepEqual(kept, first?.metadata.ownerReferences);
    const words = store.list(events).map(({ message }) => message);
    assert.ok(words.includes(`No pod is made beside ${first?.metadata.name}, which is exclusive: delete it first`));
  });

  test("a template that is no longer exclusive makes no copy beside the exclusive one that still stops", async () => {
    const { store, want, reconcile, change } = await open("Active", { exclusive: true });
    await want(1);
    await reconcile();
    const [first] = store.list(pods);
    await change(first, (pod) => ({ ...pod, spec: { ...pod.spec, nodeName: "n1" } }));
    await store.update((tx) => {
      const rc = tx.get(replicationControllers, "default/web");
      if (!rc) return;
      const { exclusive: _, ...spec } = rc.spec.template.spec;
      tx.update(replicationControllers, { ...rc, spec: { ...rc.spec, template: { ...rc.spec.template, spec } } });
    });
    const deletionTimestamp = "2026-01-01T00:01:00Z";
    await change(first, (pod) => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp } }));
    await want(3);
    await reconcile();
    assert.equal(store.count(pods), 1);
    await store.update((tx) => tx.remove(pods, `default/${first?.metadata.name}`));
    await reconcile();
    assert.equal(store.count(pods), 3);
  });

  test("Kubernetes' tolerations of 300 s are added only where the cluster asks for them", async () => {
    const { store, want, reconcile } = await open();
    await want(1);
    await reconcile();
    assert.equal(store.list(pods)[0]?.spec.tolerations, undefined);
    await store.update((tx) =>
      tx.create<ClusterSettings>(clusterSettings, {
        apiVersion: clusterSettings.apiVersion,
        kind: "ClusterSettings",
        metadata: { name: CLUSTER_SETTINGS_NAME },
        spec: { kubernetesDefaultTolerations: true },
      }),
    );
    await want(2);
    await reconcile();
    const counts = store.list(pods).map(({ spec }) => spec.tolerations?.length ?? 0);
    assert.deepEqual(counts.toSorted(), [0, 2]);
  });

  test("in a namespace that is going away it makes nothing new", async () => {
    const { store, want, reconcile } = await open("Terminating");
    await want(3);
    assert.equal((await reconcile()).requeue, undefined);
    assert.equal(store.count(pods), 0);
  });
});
