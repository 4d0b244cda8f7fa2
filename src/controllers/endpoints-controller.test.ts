import assert from "node:assert/strict";
import { test } from "node:test";
import { endpoints } from "../model/endpoints.ts";
import { kernelKinds } from "../model/kinds.ts";
import { type Pod, pods } from "../model/pod.ts";
import { services } from "../model/service.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { endpointsController } from "./endpoints-controller.ts";

/** A Service of so many pods; `turn` reconciles it, and says whether its Endpoints were written. */
async function serviceOf(count: number) {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("endpoints"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  await store.update((tx) => {
    tx.create(services, {
      ...{ apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "default" }, status: {} },
      spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
    });
    for (let at = 0; at < count; at++)
      tx.create(pods, {
        ...{ apiVersion: "v1", kind: "Pod", spec: { containers: [{ name: "c" }] } },
        metadata: { name: `p${at}`, namespace: "default", labels: { app: "web" } },
        status: { phase: "Running", podIP: `10.42.${at >> 7}.${at & 127}` },
      });
  });
  const turn = async () => {
    const before = store.get(endpoints, "default/web")?.metadata.resourceVersion;
    const requeue = await store.update((tx) => endpointsController.reconcile("default/web", tx, { random, log }));
    return { isWritten: store.get(endpoints, "default/web")?.metadata.resourceVersion !== before, requeue };
  };
  const ready = (at: number) =>
    store.update((tx) => {
      const pod = tx.get(pods, `default/p${at}`) as Pod;
      tx.update(pods, { ...pod, status: { ...pod.status, conditions: [{ type: "Ready", status: "True" }] } });
    });
  const readyCount = () => store.get(endpoints, "default/web")?.subsets?.[0]?.addresses?.length ?? 0;
  return { clock, turn, ready, readyCount };
}

test("a large Endpoints object is written once for changes that come soon after each other, and none is forgotten", async () => {
  const { clock, turn, ready, readyCount } = await serviceOf(150);
  assert.equal((await turn()).isWritten, true);
  for (let at = 0; at < 10; at++) {
    await ready(at);
    const { isWritten, requeue } = await turn();
    assert.deepEqual([isWritten, requeue], [false, { afterMs: 2_000 - at * 100 }]);
    await clock.advance(100);
  }
  await clock.advance(1_000);
  assert.equal((await turn()).isWritten, true);
  assert.equal(readyCount(), 10);
});

test("a small one is written for each change at once", async () => {
  const { turn, ready, readyCount } = await serviceOf(20);
  await turn();
  await ready(0);
  assert.deepEqual(await turn(), { isWritten: true, requeue: undefined });
  assert.equal(readyCount(), 1);
});
