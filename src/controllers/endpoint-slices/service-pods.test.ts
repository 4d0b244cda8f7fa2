import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kernelKinds } from "../../model/kinds.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { type Service, services } from "../../model/service.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { SeededRandom } from "../../seams/random.ts";
import { MemoryJournal } from "../../store/journals/memory.ts";
import { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { servicesTouched } from "./service-pods.ts";

async function storeWith(...all: readonly (readonly [name: string, spec: Service["spec"]])[]): Promise<Store> {
  const parts = { clock: new ManualClock(), random: new SeededRandom("pods"), log: silentLog };
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...parts });
  await store.update((tx) => {
    for (const [name, spec] of all)
      tx.create<Service>(services, {
        ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "default" }, spec, status: {} },
      });
  });
  return store;
}

const POD: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    ...{ name: "p", namespace: "default", uid: "u", resourceVersion: "1", generation: 1 },
    ...{ creationTimestamp: "2026-01-01T00:00:00Z", labels: { app: "web" } },
  },
  spec: { nodeName: "n1", containers: [{ name: "c", image: "i", ports: [{ name: "http", containerPort: 80 }] }] },
  status: { phase: "Running", podIP: "10.42.0.5", conditions: [{ type: "Ready", status: "True" }] },
};
const { metadata, spec, status } = POD;
const [main] = spec.containers;
assert.ok(main);
const UNREADY: Pod = { ...POD, status: { ...status, conditions: [{ type: "Ready", status: "False" }] } };

const modified = (before: Pod, object: Pod): Change => ({
  ...{ type: "modified", kind: pods as never, key: "default/p", object, before, revision: 2 },
});

describe("Services that a pod's change concerns", () => {
  const rows: readonly (readonly [why: string, before: Pod, after: Pod])[] = [
    ["it becomes ready", UNREADY, POD],
    ["it has another address", POD, { ...POD, status: { ...status, podIP: "10.42.0.6" } }],
    ["its end is asked for", POD, { ...POD, metadata: { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }],
    ["it is over, and was not ready before", UNREADY, { ...UNREADY, status: { ...UNREADY.status, phase: "Failed" } }],
    ["it is on another node", POD, { ...POD, spec: { ...spec, nodeName: "n2" } }],
    ["it has a name of its own", POD, { ...POD, spec: { ...spec, hostname: "web-0" } }],
    ["its name is below a Service's", POD, { ...POD, spec: { ...spec, subdomain: "web" } }],
    [
      "a named port of it has another number",
      POD,
      { ...POD, spec: { ...spec, containers: [{ ...main, ports: [{ name: "http", containerPort: 81 }] }] } },
    ],
  ];
  for (const [why, before, after] of rows)
    test(`are those that pick it, when ${why}`, async () => {
      const store = await storeWith(["web", { selector: { app: "web" } }], ["other", { selector: { app: "db" } }]);
      assert.deepEqual(servicesTouched(after, store, modified(before, after)), ["default/web"]);
      await store.close();
    });

  test("are none, when nothing has changed of what endpoints tell", async () => {
    const store = await storeWith(["web", { selector: { app: "web" } }]);
    const same = {
      ...POD,
      spec: { ...spec, containers: [{ ...main, image: "j" }] },
      status: { ...status, message: "x" },
    };
    assert.deepEqual(servicesTouched(same, store, modified(POD, same)), []);
    await store.close();
  });

  test("are none that is a name for another place, though it has a selector: it has no endpoints", async () => {
    const elsewhere = { type: "ExternalName", externalName: "db.example.org", selector: { app: "web" } } as const;
    const store = await storeWith(["web", { selector: { app: "web" } }], ["elsewhere", elsewhere]);
    assert.deepEqual(servicesTouched(UNREADY, store, modified(POD, UNREADY)), ["default/web"]);
    await store.close();
  });
});
