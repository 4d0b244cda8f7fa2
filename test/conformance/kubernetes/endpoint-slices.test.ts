import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.d.ts";
import { nodes } from "../../../src/model/node.ts";
import { type Pod, pods } from "../../../src/model/pod.ts";
import { type Cluster, openCluster, podNamed } from "./cluster.ts";

const NS = "/api/v1/namespaces/default";
const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

const serviceNamed = (name: string, spec: object = {}, more: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, ...more },
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
});

describe("kubernetes: endpoint slices", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster();
  });
  afterEach(() => cluster.close());

  async function slices(service = "web"): Promise<readonly EndpointSlice[]> {
    await cluster.settle();
    const { body } = await cluster.get(`${SLICES}?labelSelector=kubernetes.io/service-name%3D${service}`);
    return body.items;
  }

  async function runningPod(name: string, more: object = {}, app = "web"): Promise<void> {
    const made = await cluster.post(`${NS}/pods`, podNamed(name, more, { app }));
    assert.equal(made.status, 201, made.text);
    await cluster.kubelet();
  }

  async function changePod(name: string, change: (pod: Pod) => Pod): Promise<void> {
    await cluster.store.update((tx) => {
      const pod = tx.get(pods, `default/${name}`) ?? assert.fail(`no pod ${name}`);
      tx.update(pods, change(pod));
    });
  }

  test("a pod is an endpoint with its conditions, its node and who it is", async () => {
    await cluster.post(`${NS}/services`, serviceNamed("web", {}, { labels: { team: "shop" } }));
    await runningPod("web-1");
    const [slice, ...others] = await slices();
    assert.equal(others.length, 0);
    assert.equal(slice?.apiVersion, "discovery.k8s.io/v1");
    assert.equal(slice?.addressType, "IPv4");
    assert.match(slice?.metadata?.name ?? "", /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    assert.equal(slice?.metadata?.generateName, "web-");
    assert.deepEqual(slice?.metadata?.labels, {
      team: "shop",
      "kubernetes.io/service-name": "web",
      "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    });
    const [owner] = slice?.metadata?.ownerReferences ?? [];
    assert.deepEqual([owner?.kind, owner?.name, owner?.controller], ["Service", "web", true]);
    assert.deepEqual(slice?.ports, [{ name: "", port: 8080, protocol: "TCP" }]);
    const [endpoint] = slice?.endpoints ?? [];
    assert.deepEqual(endpoint?.conditions, { ready: true, serving: true, terminating: false });
    assert.deepEqual([endpoint?.addresses, endpoint?.nodeName], [["10.1.0.1"], "n1"]);
    const { kind, namespace, name, uid } = endpoint?.targetRef ?? {};
    assert.deepEqual([kind, namespace, name], ["Pod", "default", "web-1"]);
    assert.ok(uid);
  });

  test("a pod on its way out is not ready at once, and serves as long as it says so", async () => {
    await cluster.post("/api/v1/nodes", { kind: "Node", metadata: { name: "n1" } });
    await cluster.post(`${NS}/services`, serviceNamed("web"));
    await runningPod("web-1");
    await slices();
    await cluster.delete(`${NS}/pods/web-1`);
    const [slice] = await slices();
    assert.deepEqual(slice?.endpoints[0]?.conditions, { ready: false, serving: true, terminating: true });
    const { body } = await cluster.get(`${NS}/endpoints/web`);
    assert.deepEqual(body.subsets ?? [], []);
  });

  test("a readiness report is in the slice with the next transaction", async () => {
    await cluster.post(`${NS}/services`, serviceNamed("web"));
    await runningPod("web-1");
    await slices();
    await changePod("web-1", (pod) => ({
      ...pod,
      status: { ...pod.status, conditions: [{ type: "Ready", status: "False", lastTransitionTime: "x" }] },
    }));
    const reported = cluster.store.revision;
    const [slice] = await slices();
    assert.equal(slice?.endpoints[0]?.conditions?.ready, false);
    assert.ok(Number(slice?.metadata?.resourceVersion) <= reported + 2, "Endpoints and slice, nothing between");
  });

  test("publishNotReadyAddresses says ready of all, and serving of those that are", async () => {
    await cluster.post(`${NS}/services`, serviceNamed("web", { publishNotReadyAddresses: true }));
    await runningPod("web-1");
    await changePod("web-1", (pod) => ({ ...pod, status: { ...pod.status, conditions: [] } }));
    const [slice] = await slices();
    assert.deepEqual(slice?.endpoints[0]?.conditions, { ready: true, serving: false, terminating: false });
  });

  test("named target ports are looked up in each pod; those that differ are in slices of their own", async () => {
    await cluster.post(
      `${NS}/services`,
      serviceNamed("web", { ports: [{ name: "http", port: 80, targetPort: "web", appProtocol: "http" }] }),
    );
    const listening = (containerPort: number) => ({
      containers: [{ name: "main", image: "busybox:1", ports: [{ name: "web", containerPort }] }],
    });
    await runningPod("web-1", listening(8080));
    await runningPod("web-2", listening(9090));
    const found = await slices();
    assert.deepEqual(
      found.map(({ ports }) => ports?.[0]).sort((a, b) => (a?.port ?? 0) - (b?.port ?? 0)),
      [8080, 9090].map((port) => ({ name: "http", port, protocol: "TCP", appProtocol: "http" })),
    );
  });

  test("a headless service's slice says so, and carries the pods' own names", async () => {
    await cluster.post(`${NS}/services`, serviceNamed("web", { clusterIP: "None", ports: undefined }));
    await runningPod("web-1", { hostname: "first", subdomain: "web" });
    const [slice] = await slices();
    assert.equal(slice?.metadata?.labels?.["service.kubernetes.io/headless"], "");
    assert.deepEqual([slice?.ports, slice?.endpoints[0]?.hostname], [[], "first"]);
  });

  test("zones come from the nodes, and hints where the service asks for endpoints nearby", async () => {
    await cluster.post("/api/v1/nodes", {
      kind: "Node",
      metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "north" } },
    });
    await cluster.post(`${NS}/services`, serviceNamed("web", { trafficDistribution: "PreferSameNode" }));
    await runningPod("web-1");
    const [slice] = await slices();
    assert.equal(slice?.endpoints[0]?.zone, "north");
    assert.deepEqual(slice?.endpoints[0]?.hints, { forZones: [{ name: "north" }], forNodes: [{ name: "n1" }] });

    await cluster.store.update((tx) => {
      const node = tx.get(nodes, "n1") ?? assert.fail("no node");
      const labels = { ...node.metadata.labels, "topology.kubernetes.io/zone": "south" };
      tx.update(nodes, { ...node, metadata: { ...node.metadata, labels } });
    });
    assert.equal((await slices())[0]?.endpoints[0]?.zone, "south");
  });

  test("Endpoints that somebody wrote are mirrored; slices that somebody wrote stay as they are", async () => {
    await cluster.post(`${NS}/services`, serviceNamed("db", { selector: undefined }));
    const subsets = [
      { addresses: [{ ip: "192.0.2.1" }], notReadyAddresses: [{ ip: "192.0.2.2" }], ports: [{ port: 5432 }] },
    ];
    await cluster.post(`${NS}/endpoints`, { kind: "Endpoints", metadata: { name: "db" }, subsets });
    const own = await cluster.post(SLICES, {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "db-by-hand", labels: { "kubernetes.io/service-name": "db" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["192.0.2.9"] }],
      ports: [{ port: 5432 }],
    });
    assert.equal(own.status, 201, own.text);
    const found = await slices("db");
    assert.equal(found.length, 2);
    const mirrored = found.find(({ metadata }) => metadata?.name !== "db-by-hand");
    assert.equal(
      mirrored?.metadata?.labels?.["endpointslice.kubernetes.io/managed-by"],
      "endpointslicemirroring-controller.k8s.io",
    );
    assert.deepEqual(mirrored?.metadata?.ownerReferences?.[0]?.kind, "Endpoints");
    assert.deepEqual(mirrored?.endpoints, [
      { addresses: ["192.0.2.1"], conditions: { ready: true } },
      { addresses: ["192.0.2.2"], conditions: { ready: false } },
    ]);

    await cluster.delete(`${NS}/endpoints/db`);
    assert.deepEqual(
      (await slices("db")).map(({ metadata }) => metadata?.name),
      ["db-by-hand"],
    );
  });

  test("a slice that somebody changes is put right, one that somebody removes is made again", async () => {
    await cluster.post(`${NS}/services`, serviceNamed("web"));
    await runningPod("web-1");
    const [before] = await slices();
    await cluster.patch(`${SLICES}/${before?.metadata?.name}`, "merge", { endpoints: [] });
    assert.equal((await slices())[0]?.endpoints.length, 1);
    await cluster.delete(`${SLICES}/${before?.metadata?.name}`);
    assert.equal((await slices())[0]?.endpoints.length, 1);
  });

  test("they go with their service", async () => {
    await cluster.post(`${NS}/services`, serviceNamed("web"));
    await runningPod("web-1");
    assert.equal((await slices()).length, 1);
    await cluster.delete(`${NS}/services/web`);
    assert.deepEqual(await slices(), []);
  });

  test("they go with their namespace, and are not made again while it ends", async () => {
    await cluster.post("/api/v1/namespaces", { kind: "Namespace", metadata: { name: "shop" } });
    const path = "/api/v1/namespaces/shop";
    await cluster.post(`${path}/services`, serviceNamed("web"));
    await cluster.settle();
    await cluster.delete(path);
    await cluster.settle();
    assert.equal((await cluster.get(path)).status, 404);
    const { body } = await cluster.get("/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices");
    assert.deepEqual(body.items, []);
  });

  test("a change of a pod looks at the services that pick it only", async () => {
    await cluster.post(`${NS}/services`, serviceNamed("web"));
    await cluster.post(`${NS}/services`, serviceNamed("other"));
    await runningPod("web-1");
    const [other] = await slices("other");
    assert.equal(other?.endpoints.length, 0, "a slice of a service without endpoints is there, and empty");
    await changePod("web-1", (pod) => ({ ...pod, status: { ...pod.status, podIP: "10.1.0.77" } }));
    assert.deepEqual((await slices())[0]?.endpoints[0]?.addresses, ["10.1.0.77"]);
    assert.equal((await slices("other"))[0]?.metadata?.resourceVersion, other?.metadata?.resourceVersion);
  });
});
