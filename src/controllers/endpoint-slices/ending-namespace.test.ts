import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { endpointSlices } from "../../model/endpoint-slice.ts";
import { kernelKinds } from "../../model/kinds.ts";
import { type Namespace, namespaces } from "../../model/namespace.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { type Service, services } from "../../model/service.ts";
import { SystemClock } from "../../seams/clock.ts";
import { silentLog } from "../../seams/log.ts";
import { SeededRandom } from "../../seams/random.ts";
import { MemoryJournal } from "../../store/journals/memory.ts";
import { Store } from "../../store/store.ts";
import type { Tx } from "../../store/transaction.ts";
import { ControllerRunner } from "../runner.ts";
import { endpointSlicesController } from "./endpoint-slices-controller.ts";

function putNamespace(tx: Tx, phase: Namespace["status"]["phase"]): void {
  const before = tx.get(namespaces, "shop");
  if (before) tx.update<Namespace>(namespaces, { ...before, status: { phase } });
  else
    tx.create<Namespace>(namespaces, {
      ...{ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" }, spec: {}, status: { phase } },
    });
}

function addPod(tx: Tx, n: number): void {
  const conditions = [{ type: "Ready", status: "True" }] as const;
  tx.create<Pod>(pods, {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: `p${n}`, namespace: "shop", labels: { app: "web" } } },
    ...{ spec: { nodeName: "n1", containers: [] }, status: { phase: "Running", podIP: `10.42.0.${n}`, conditions } },
  });
}

function addService(tx: Tx, name: string): void {
  const spec = { selector: { app: "web" }, ports: [{ port: 80 }] };
  tx.create<Service>(services, {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "shop" }, spec, status: {} },
  });
}

describe("slices in a namespace that ends", () => {
  test("are made no more, nor written, and those whose Service is gone go", async () => {
    const [clock, random] = [new SystemClock(), new SeededRandom("ending")];
    const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log: silentLog });
    const controllers = [endpointSlicesController];
    const runner = new ControllerRunner({ store, controllers, clock, random, log: silentLog });
    runner.start();
    const after = async (write: (tx: Tx) => void) => {
      await store.update(write);
      await runner.settle();
      const slices = store.list(endpointSlices, "shop");
      return slices.flatMap(({ endpoints }) => endpoints.flatMap(({ addresses }) => addresses));
    };
    const begun = await after((tx) => {
      putNamespace(tx, "Active");
      addService(tx, "web");
      addPod(tx, 1);
    });
    assert.deepEqual(begun, ["10.42.0.1"]);
    const ending = await after((tx) => {
      putNamespace(tx, "Terminating");
      addPod(tx, 2);
      addService(tx, "late");
    });
    assert.deepEqual(ending, ["10.42.0.1"], "what is written anew would hold the namespace up");
    assert.deepEqual(await after((tx) => tx.remove(services, "shop/web")), []);
    await runner.stop();
    await store.close();
  });
});
