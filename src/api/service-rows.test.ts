import assert from "node:assert/strict";
import { test } from "node:test";
import { CLUSTER_SETTINGS_NAME, clusterSettings } from "../model/cluster-settings.ts";
import type { Publisher } from "../model/discovery.ts";
import { endpointSlices, SERVICE_LABEL } from "../model/endpoint-slice.ts";
import { kernelKinds } from "../model/kinds.ts";
import type { Draft } from "../model/meta.ts";
import { type Pod, pods } from "../model/pod.ts";
import { type ReplicationController, replicationControllers } from "../model/replication-controller.ts";
import { services } from "../model/service.ts";
import { SystemClock } from "../seams/clock.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { listServices } from "./service-rows.ts";

function task(name: string, isReady: boolean, servicePort: number) {
  const annotations = { "styrmann.dev/dialect": "marathon", "styrmann.dev/workload": "/prod/web" };
  const conditions: Pod["status"]["conditions"] = [{ type: "Ready", status: isReady ? "True" : "False" }];
  const ownerReferences = [{ apiVersion: "marathon/v2", kind: "App", name: "web", uid: "app", controller: true }];
  return {
    ...{ apiVersion: "v1", kind: "Pod" as const },
    metadata: { name, namespace: "marathon", annotations, ownerReferences },
    spec: { containers: [{ name: "app", ports: [{ name: "http", containerPort: 80, servicePort }] }] },
    status: { phase: "Running" as const, conditions },
  };
}

/** Stands for an app: what its pods are copies of. */
function appNamed(name: string): Draft<ReplicationController> {
  const template = { metadata: {}, spec: { containers: [] } };
  return {
    ...{ apiVersion: "v1", kind: "ReplicationController", metadata: { name, namespace: "marathon" }, status: {} },
    spec: { replicas: 0, selector: {}, template },
  } as unknown as Draft<ReplicationController>;
}

const publisher: Publisher<ReplicationController> = {
  kind: replicationControllers,
  tell: ({ metadata }) => ({
    services: [
      {
        ...{ id: `marathon:/prod/${metadata.name}`, name: `/prod/${metadata.name}`, since: metadata.creationTimestamp },
        ports: [{ id: "0", name: "http", protocol: "tcp", servicePort: 10_002 }],
      },
    ],
    routes: [],
  }),
};

test("services are those of Kubernetes with their slices' endpoints, and Marathon apps with service ports, instances or not", async () => {
  const clock = new SystemClock();
  const random = new SeededRandom("services");
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log: silentLog });
  await store.update((tx) => {
    tx.create(services, {
      ...{ apiVersion: "v1", kind: "Service" as const, metadata: { name: "web", namespace: "shop" }, status: {} },
      spec: { type: "ClusterIP", clusterIP: "10.96.0.9", ports: [{ name: "http", port: 80 }] },
    });
    tx.create(endpointSlices, {
      ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" as const, addressType: "IPv4" as const },
      metadata: { name: "web-1", namespace: "shop", labels: { [SERVICE_LABEL]: "web" } },
      endpoints: [{ addresses: ["10.42.0.2"] }, { addresses: ["10.42.0.3"], conditions: { ready: false } }],
    });
    for (const name of ["web", "empty"]) tx.create(replicationControllers, appNamed(name));
    tx.create(pods, task("one", true, 10_001));
    tx.create(pods, task("two", false, 10_001));
    tx.create(pods, task("new", true, 10_002));
    const elsewhere = task("elsewhere", true, 10_002);
    tx.create(pods, { ...elsewhere, status: { ...elsewhere.status, networkAddress: "172.20.0.5" } });
  });
  const rows = await listServices(store, clock, [publisher]);
  assert.deepEqual(
    rows.map(({ createdAt: _c, ...row }) => row),
    [
      {
        ...{ dialect: "kubernetes", namespace: "shop", name: "web", type: "ClusterIP", addresses: ["10.96.0.9"] },
        ...{ ports: [{ name: "http", protocol: "TCP", port: 80 }], ready: 1, endpoints: 2 },
      },
      {
        ...{ dialect: "marathon", namespace: "marathon", name: "/prod/web", type: "servicePort", addresses: [] },
        ...{ ports: [{ name: "http", protocol: "TCP", nodePort: 10_002 }], ready: 2, endpoints: 4 },
      },
      {
        ...{ dialect: "marathon", namespace: "marathon", name: "/prod/empty", type: "servicePort", addresses: [] },
        ...{ ports: [{ name: "http", protocol: "TCP", nodePort: 10_002 }], ready: 0, endpoints: 0 },
      },
    ],
  );
  await store.close();
});

test("a Service of which nodes are not told all says so, with the setting; the older one is whole", async () => {
  const clock = new ManualClock();
  const random = new SeededRandom("left out");
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log: silentLog });
  const add = async (name: string) => {
    await store.update((tx) => {
      tx.create(services, {
        ...{ apiVersion: "v1", kind: "Service" as const, metadata: { name, namespace: "shop" }, status: {} },
        spec: { type: "ClusterIP", clusterIP: "10.96.0.9", ports: [{ port: 80 }] },
      });
      tx.create(endpointSlices, {
        ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" as const, addressType: "IPv4" as const },
        metadata: { name: `${name}-1`, namespace: "shop", labels: { [SERVICE_LABEL]: name } },
        endpoints: [{ addresses: ["10.42.0.2"] }, { addresses: ["10.42.0.3"] }],
      });
    });
    await clock.advance(2_000);
  };
  await store.update((tx) => {
    tx.create(clusterSettings, {
      ...{ apiVersion: clusterSettings.apiVersion, kind: "ClusterSettings" as const },
      ...{ metadata: { name: CLUSTER_SETTINGS_NAME }, spec: { serviceEndpointsPerNamespace: 3 } },
    });
  });
  await add("web");
  await add("db");
  const said = new Map((await listServices(store, clock)).map(({ name, leftOut }) => [name, leftOut]));
  assert.equal(said.get("web"), undefined);
  assert.match(
    said.get("db") ?? "",
    /told of 0 of its 2 endpoints.* may have 3 .*service-endpoints-per-namespace.* 4;/,
  );
});
