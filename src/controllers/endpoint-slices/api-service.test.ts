import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { endpointSlices } from "../../model/endpoint-slice.ts";
import { endpoints } from "../../model/endpoints.ts";
import { kernelKinds } from "../../model/kinds.ts";
import { nodes } from "../../model/node.ts";
import { type Server, servers } from "../../model/server.ts";
import { services } from "../../model/service.ts";
import { SystemClock } from "../../seams/clock.ts";
import { silentLog } from "../../seams/log.ts";
import { SeededRandom } from "../../seams/random.ts";
import { MemoryJournal } from "../../store/journals/memory.ts";
import { Store } from "../../store/store.ts";
import { ensureSystemNamespaces } from "../../store/system-namespaces.ts";
import { ControllerRunner } from "../runner.ts";
import { apiServiceController } from "./api-service-controller.ts";
import { endpointSlicesController } from "./endpoint-slices-controller.ts";

describe("the service of the API", () => {
  let store: Store;
  let runner: ControllerRunner;
  beforeEach(async () => {
    const [clock, random] = [new SystemClock(), new SeededRandom("api")];
    store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log: silentLog });
    const controllers = [apiServiceController, endpointSlicesController];
    runner = new ControllerRunner({ store, controllers, clock, random, log: silentLog });
    await store.update(ensureSystemNamespaces);
    runner.start();
  });
  afterEach(async () => {
    await runner.stop();
    await store.close();
  });

  async function register(name: string, url: string): Promise<void> {
    await store.update((tx) => {
      const before = tx.get(servers, name);
      const spec = { url, version: "1" };
      if (before) tx.update<Server>(servers, { ...before, spec });
      else tx.create<Server>(servers, { apiVersion: servers.apiVersion, kind: "Server", metadata: { name }, spec });
    });
    await runner.settle();
  }

  const slices = () =>
    store
      .by(endpointSlices, "service", "default/kubernetes")
      .map(({ metadata, endpoints, ports = [] }) => [
        metadata.name,
        endpoints.flatMap(({ addresses }) => addresses),
        ports.map(({ port }) => port),
      ]);

  test("has the first address of the range, and the servers for endpoints", async () => {
    await register("a", "https://192.0.2.1:7443");
    await register("b", "https://192.0.2.2:7443");
    const { spec } = store.get(services, "default/kubernetes") ?? assert.fail("there is none");
    assert.equal(spec.clusterIP, "10.96.0.1");
    assert.deepEqual(spec.ports, [{ name: "https", port: 443, protocol: "TCP", targetPort: 7443 }]);
    assert.deepEqual(slices(), [["kubernetes", ["192.0.2.1", "192.0.2.2"], [7443]]]);
    assert.deepEqual(store.get(endpoints, "default/kubernetes")?.subsets, [
      {
        addresses: [{ ip: "192.0.2.1" }, { ip: "192.0.2.2" }],
        ports: [{ name: "https", port: 7443, protocol: "TCP" }],
      },
    ]);
  });

  test("a server that goes is no endpoint any more; servers at other ports have a slice of their own", async () => {
    await register("a", "https://192.0.2.1:7443");
    await register("b", "https://192.0.2.2:8443");
    assert.deepEqual(slices(), [
      ["kubernetes", ["192.0.2.1"], [7443]],
      ["kubernetes-8443", ["192.0.2.2"], [8443]],
    ]);
    await store.update((tx) => tx.remove(servers, "a"));
    await runner.settle();
    assert.deepEqual(slices(), [["kubernetes", ["192.0.2.2"], [8443]]]);
  });

  test("a server that calls itself by a name or by the loopback is at its node's address", async () => {
    await register("a", "https://localhost:7443");
    assert.equal(store.get(services, "default/kubernetes"), undefined, "nobody knows where it is");
    await store.update((tx) => {
      const status = { addresses: [{ type: "InternalIP", address: "192.0.2.7" }], nodeInfo: { machineID: "" } };
      tx.create(nodes, { apiVersion: "v1", kind: "Node", metadata: { name: "a" }, spec: {}, status } as never);
    });
    await runner.settle();
    assert.deepEqual(slices(), [["kubernetes", ["192.0.2.7"], [7443]]]);
  });

  test("what somebody removes is there again", async () => {
    await register("a", "https://192.0.2.1:7443");
    await store.update((tx) => {
      tx.remove(services, "default/kubernetes");
      tx.remove(endpoints, "default/kubernetes");
      tx.remove(endpointSlices, "default/kubernetes");
    });
    await runner.settle();
    assert.equal(store.get(services, "default/kubernetes")?.spec.clusterIP, "10.96.0.1");
    assert.equal(slices().length, 1);
  });

  test("a Service of that name that somebody made with a selector is his", async () => {
    await store.update((tx) => {
      const spec = { clusterIP: "10.96.0.7", selector: { app: "mine" }, ports: [{ port: 80 }] };
      tx.create(services, {
        ...{ apiVersion: "v1", kind: "Service" as const, metadata: { name: "kubernetes", namespace: "default" } },
        ...{ spec, status: {} },
      });
    });
    await register("a", "https://192.0.2.1:7443");
    assert.deepEqual(store.get(services, "default/kubernetes")?.spec.ports, [{ port: 80 }]);
    const before = store.revision;
    await register("b", "https://192.0.2.2:7443");
    assert.equal(store.revision, before + 1, "nobody undoes what another does");
  });

  test("an address that somebody has taken before stays his", async () => {
    await store.update((tx) => {
      const spec = { clusterIP: "10.96.0.1" };
      tx.create(services, {
        ...{ apiVersion: "v1", kind: "Service" as const, metadata: { name: "mine", namespace: "default" } },
        ...{ spec, status: {} },
      });
    });
    await register("a", "https://192.0.2.1:7443");
    assert.equal(store.get(services, "default/kubernetes")?.spec.clusterIP, "10.96.0.2");
  });
});
