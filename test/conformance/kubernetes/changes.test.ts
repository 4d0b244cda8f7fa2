import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { kernelKinds } from "../../../src/model/kinds.ts";
import { type Pod, pods } from "../../../src/model/pod.ts";
import { services } from "../../../src/model/service.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { Store } from "../../../src/store/store.ts";
import { type Cluster, openCluster, podNamed, rcNamed } from "./cluster.ts";

const NS = "/api/v1/namespaces/default";
const PODS = `${NS}/pods`;

describe("kubernetes: changing objects", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await openCluster({ controllers: false });
  });
  after(() => cluster.close());

  test("PUT replaces; an old resourceVersion is a Conflict, none is unconditional", async () => {
    const { body } = await cluster.post(PODS, podNamed("put"));
    const changed = { ...body, metadata: { ...body.metadata, labels: { a: "1" } } };
    const first = await cluster.put(`${PODS}/put`, changed);
    assert.equal(first.status, 200, first.text);
    const stale = await cluster.put(`${PODS}/put`, changed);
    assert.equal(stale.status, 409);
    assert.equal(
      stale.body.message,
      'Operation cannot be fulfilled on pods "put": the object has been modified; please apply your changes to the latest version and try again',
    );
    const { resourceVersion: _v, ...metadata } = first.body.metadata;
    const unconditional = await cluster.put(`${PODS}/put`, {
      ...first.body,
      metadata: { ...metadata, labels: { a: "2" } },
    });
    assert.equal(unconditional.body.metadata.labels.a, "2");
    assert.equal(unconditional.body.metadata.uid, body.metadata.uid);
    assert.equal((await cluster.put(`${PODS}/other`, first.body)).status, 400);
    assert.equal((await cluster.put(`${PODS}/absent`, podNamed("absent"))).status, 404);
  });

  test("a pod that another dialect made can be labelled; its spec stays as that dialect wrote it", async () => {
    const spec = { containers: [{ name: "task", command: ["sleep", "1"], resources: { requests: { cpu: "0.50" } } }] };
    await cluster.store.update((tx) => {
      tx.create<Pod>(pods, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "task", namespace: "marathon" },
        spec,
        status: { phase: "Pending" },
      });
    });
    const path = "/api/v1/namespaces/marathon/pods/task";
    const labelled = await cluster.patch(path, "merge", { metadata: { labels: { seen: "yes" } } });
    assert.equal(labelled.status, 200, labelled.text);
    assert.deepEqual(labelled.body.spec, spec);
    assert.equal((await cluster.patch(path, "merge", { metadata: { labels: { "b d": "" } } })).status, 422);
  });

  test("status is written through /status only, and spec is ignored there", async () => {
    const { body } = await cluster.post(`${NS}/replicationcontrollers`, rcNamed("st", 2));
    const path = `${NS}/replicationcontrollers/st`;
    const main = await cluster.put(path, { ...body, status: { replicas: 9 }, spec: { ...body.spec, replicas: 3 } });
    assert.equal(main.body.status.replicas, 0);
    assert.equal(main.body.metadata.generation, 2);
    const status = await cluster.put(`${path}/status`, {
      ...main.body,
      status: { replicas: 7 },
      spec: { ...body.spec, replicas: 5 },
    });
    assert.equal(status.body.status.replicas, 7);
    assert.equal(status.body.spec.replicas, 3);
    assert.equal(status.body.metadata.generation, 2);
  });

  test("most of a pod's spec cannot change; its image can", async () => {
    await cluster.post(PODS, podNamed("fixed"));
    const image = await cluster.patch(`${PODS}/fixed`, "strategic", {
      spec: { "$setElementOrder/containers": [{ name: "main" }], containers: [{ name: "main", image: "busybox:2" }] },
    });
    assert.equal(image.body.spec.containers[0].image, "busybox:2", image.text);
    const command = await cluster.patch(`${PODS}/fixed`, "strategic", {
      spec: { containers: [{ name: "main", command: ["x"] }] },
    });
    assert.equal(command.status, 422);
    assert.match(
      command.body.message,
      /^Pod "fixed" is invalid: spec: Forbidden: pod updates may not change fields other than/,
    );
  });

  test("merge patch: label and annotate as kubectl sends them", async () => {
    await cluster.post(PODS, podNamed("labels", {}, { keep: "1", drop: "1" }));
    const path = `${PODS}/labels?fieldManager=kubectl-label`;
    const { body } = await cluster.patch(path, "merge", { metadata: { labels: { add: "2", drop: null } } });
    assert.deepEqual(body.metadata.labels, { keep: "1", add: "2" });
    const stale = { metadata: { resourceVersion: "1", labels: { x: "y" } } };
    assert.equal((await cluster.patch(`${PODS}/labels`, "merge", stale)).status, 409);
  });

  test("strategic merge: a service's ports merge by port, and $patch deletes one", async () => {
    const ports = [
      { name: "http", port: 80 },
      { name: "admin", port: 8080 },
    ];
    await cluster.post(`${NS}/services`, { kind: "Service", metadata: { name: "smp" }, spec: { ports } });
    const patched = await cluster.patch(`${NS}/services/smp`, "strategic", {
      spec: {
        ports: [
          { port: 80, name: "web" },
          { $patch: "delete", port: 8080 },
        ],
      },
    });
    assert.equal(patched.status, 200, patched.text);
    assert.deepEqual(patched.body.spec.ports, [{ name: "web", port: 80, protocol: "TCP", targetPort: 80 }]);
  });

  test("JSON patch: a failed test changes nothing", async () => {
    await cluster.post(PODS, podNamed("jp", {}, { a: "1" }));
    const ok = await cluster.patch(`${PODS}/jp`, "json", [
      { op: "test", path: "/metadata/labels/a", value: "1" },
      { op: "replace", path: "/metadata/labels/a", value: "2" },
      { op: "add", path: "/metadata/labels/styrmann.dev~1x", value: "3" },
    ]);
    assert.deepEqual(ok.body.metadata.labels, { a: "2", "styrmann.dev/x": "3" });
    const failed = await cluster.patch(`${PODS}/jp`, "json", [
      { op: "remove", path: "/metadata/labels/a" },
      { op: "test", path: "/metadata/name", value: "other" },
    ]);
    assert.equal(failed.status, 422);
    assert.equal((await cluster.get(`${PODS}/jp`)).body.metadata.labels.a, "2");
  });

  test("server-side apply is refused with what is accepted instead", async () => {
    const { status, body } = await cluster.patch(`${PODS}/jp`, "apply", podNamed("jp"));
    assert.equal(status, 415);
    assert.match(body.message, /application\/strategic-merge-patch\+json/);
  });

  test("/scale reads, patches and replaces the count", async () => {
    await cluster.post(`${NS}/replicationcontrollers`, rcNamed("sc", 1));
    const path = `${NS}/replicationcontrollers/sc/scale`;
    const { body } = await cluster.get(path);
    assert.equal(body.kind, "Scale");
    assert.equal(body.apiVersion, "autoscaling/v1");
    assert.deepEqual(body.status, { replicas: 0, selector: "app=sc" });
    const patched = await cluster.patch(path, "merge", { spec: { replicas: 5 } });
    assert.equal(patched.body.spec.replicas, 5);
    assert.equal((await cluster.put(path, { ...body, spec: { replicas: 2 } })).status, 409);
    assert.equal((await cluster.put(path, { ...patched.body, spec: { replicas: 2 } })).body.spec.replicas, 2);
    assert.equal((await cluster.patch(path, "merge", { spec: { replicas: -1 } })).status, 422);
  });

  test("a pod is bound once", async () => {
    await cluster.post(PODS, podNamed("bind"));
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: "bind" },
      target: { kind: "Node", name: "n1" },
    };
    assert.equal((await cluster.post(`${PODS}/bind/binding`, binding)).status, 201);
    assert.equal((await cluster.get(`${PODS}/bind`)).body.spec.nodeName, "n1");
    assert.equal((await cluster.post(`${PODS}/bind/binding`, binding)).status, 409);
  });

  test("a kind that is no string is refused", async () => {
    assert.equal((await cluster.post(PODS, { ...podNamed("k"), kind: { toString: [] } })).status, 400);
  });

  test("a viewer reads, and an operator may not speak for the machinery", async () => {
    const viewer = { name: "vera", roles: ["viewer"] as const };
    const operator = { name: "olga", roles: ["operator"] as const };
    assert.equal((await cluster.get(PODS, { actor: viewer })).status, 200);
    const denied = await cluster.post(PODS, podNamed("v"), { actor: viewer });
    assert.equal(denied.status, 403);
    assert.equal(denied.body.reason, "Forbidden");
    assert.equal((await cluster.get(`${NS}/secrets`, { actor: viewer })).status, 403);
    const status = await cluster.patch(
      `${PODS}/bind/status`,
      "merge",
      { status: { phase: "Running" } },
      { actor: operator },
    );
    assert.equal(status.status, 403);
  });

  test("a service keeps its address, gets a node port, and cannot take another's", async () => {
    const service = (name: string, spec: object) => ({
      kind: "Service",
      metadata: { name },
      spec: { ports: [{ port: 80 }], ...spec },
    });
    const first = await cluster.post(`${NS}/services`, service("first", { type: "NodePort" }));
    assert.match(first.body.spec.clusterIP, /^10\.(9[6-9]|10\d|11[01])\./);
    assert.deepEqual(first.body.spec.clusterIPs, [first.body.spec.clusterIP]);
    const { nodePort } = first.body.spec.ports[0];
    assert.ok(nodePort >= 30_086 && nodePort <= 32_767);
    const replaced = await cluster.put(
      `${NS}/services/first`,
      service("first", { type: "NodePort", selector: { a: "b" } }),
    );
    assert.equal(replaced.body.spec.clusterIP, first.body.spec.clusterIP);
    assert.equal(replaced.body.spec.ports[0].nodePort, nodePort);
    const taken = await cluster.post(`${NS}/services`, service("second", { clusterIP: first.body.spec.clusterIP }));
    assert.equal(taken.status, 422);
    assert.match(taken.body.message, /provided IP is already allocated/);
    const port = await cluster.post(
      `${NS}/services`,
      service("third", { type: "NodePort", ports: [{ port: 80, nodePort }] }),
    );
    assert.match(port.body.message, /spec.ports\[0\].nodePort: Invalid value: \d+: provided port is already allocated/);
    const moved = await cluster.patch(`${NS}/services/first`, "merge", { spec: { clusterIP: "10.96.0.9" } });
    assert.match(moved.body.message, /spec.clusterIP: Invalid value: "10.96.0.9": field is immutable/);
  });

  test("the same service gets the same address in a replay, and keeps it over a restart", async () => {
    const body = { kind: "Service", metadata: { name: "again" }, spec: { type: "NodePort", ports: [{ port: 80 }] } };
    const addresses: unknown[] = [];
    for (let run = 0; run < 2; run++) {
      const other = await openCluster({ controllers: false });
      const { spec } = (await other.post(`${NS}/services`, body)).body;
      addresses.push([spec.clusterIP, spec.ports[0].nodePort]);
      const reopened = await Store.open({
        kinds: kernelKinds,
        journal: other.journal,
        clock: other.clock,
        random: new SeededRandom("later"),
        log: silentLog,
      });
      assert.equal(reopened.get(services, "default/again")?.spec.clusterIP, spec.clusterIP);
      assert.equal(reopened.by(services, "clusterIP", spec.clusterIP).length, 1);
      await reopened.close();
      await other.close();
    }
    assert.deepEqual(addresses[0], addresses[1]);
  });

  test("what a config map made immutable stays so", async () => {
    const map = { kind: "ConfigMap", metadata: { name: "cm" }, data: { a: "1" }, immutable: true };
    await cluster.post(`${NS}/configmaps`, map);
    assert.equal((await cluster.patch(`${NS}/configmaps/cm`, "merge", { data: { a: "2" } })).status, 422);
    assert.equal(
      (await cluster.patch(`${NS}/configmaps/cm`, "merge", { metadata: { labels: { a: "b" } } })).status,
      200,
    );
  });
});
