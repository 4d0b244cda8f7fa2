import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { endpoints } from "../../../src/model/endpoints.ts";
import { controllerOf } from "../../../src/model/meta.ts";
import { isLive, type Pod, pods } from "../../../src/model/pod.ts";
import { type ReplicationController, replicationControllers } from "../../../src/model/replication-controller.ts";
import { type Cluster, openCluster, podNamed, rcNamed } from "./cluster.ts";

const NS = "/api/v1/namespaces/default";
const PODS = `${NS}/pods`;
const RCS = `${NS}/replicationcontrollers`;

describe("kubernetes: replication controllers", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster();
    await cluster.post("/api/v1/nodes", { kind: "Node", metadata: { name: "n1" } });
  });
  afterEach(() => cluster.close());

  const live = (): readonly Pod[] => cluster.store.list(pods).filter(isLive);
  const rc = (name: string) => cluster.store.get(replicationControllers, `default/${name}`) as ReplicationController;

  test("it makes the pods it is asked for, named after it and owned by it", async () => {
    const { body } = await cluster.post(RCS, rcNamed("web", 3));
    await cluster.settle();
    assert.equal(live().length, 3);
    for (const pod of live()) {
      assert.match(pod.metadata.name, /^web-[a-z0-9]{5}$/);
      assert.equal(controllerOf(pod)?.uid, body.metadata.uid);
      assert.equal(pod.status.qosClass, "BestEffort");
      assert.equal(pod.spec.restartPolicy, "Always");
    }
    await cluster.kubelet();
    await cluster.settle();
    assert.deepEqual(rc("web").status, {
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    });
  });

  test("more than one burst of pods comes without anything else happening", async () => {
    await cluster.post(RCS, rcNamed("many", 1200));
    const deadline = cluster.clock.monotonic() + 20_000;
    while (live().length < 1200 && cluster.clock.monotonic() < deadline) await cluster.clock.sleep(5);
    assert.equal(live().length, 1200);
  });

  test("it adopts a pod that matches and is nobody's, instead of making one", async () => {
    await cluster.post(PODS, podNamed("mine", {}, { app: "web" }));
    await cluster.post(PODS, podNamed("other", {}, { app: "else" }));
    await cluster.post(RCS, rcNamed("web", 2));
    await cluster.settle();
    const owned = live().filter((pod) => controllerOf(pod)?.name === "web");
    assert.equal(owned.length, 2);
    assert.ok(owned.some(({ metadata }) => metadata.name === "mine"));
    assert.equal(controllerOf(cluster.store.get(pods, "default/other") as Pod), undefined);
  });

  test("a pod whose labels no longer match is let go and replaced", async () => {
    await cluster.post(RCS, rcNamed("web", 2));
    await cluster.settle();
    const [first] = live();
    assert.ok(first);
    await cluster.patch(`${PODS}/${first.metadata.name}`, "merge", { metadata: { labels: { app: "debug" } } });
    await cluster.settle();
    const released = cluster.store.get(pods, `default/${first.metadata.name}`);
    assert.equal(released?.metadata.ownerReferences, undefined);
    assert.equal(live().filter((pod) => controllerOf(pod)?.name === "web").length, 2);
  });

  test("a pod that failed is replaced; it stays to be looked at", async () => {
    await cluster.post(RCS, rcNamed("web", 1));
    await cluster.settle();
    const [first] = live();
    assert.ok(first);
    await cluster.patch(`${PODS}/${first.metadata.name}/status`, "merge", { status: { phase: "Failed" } });
    await cluster.settle();
    assert.equal(live().length, 1);
    assert.equal(cluster.store.list(pods).length, 2);
    assert.equal(rc("web").status.replicas, 1);
  });

  test("scaling down takes the pods that do not run yet first", async () => {
    await cluster.post(RCS, rcNamed("web", 2));
    await cluster.settle();
    await cluster.kubelet();
    const running = live().map(({ metadata }) => metadata.name);
    await cluster.patch(`${RCS}/web/scale`, "merge", { spec: { replicas: 4 } });
    await cluster.settle();
    await cluster.patch(`${RCS}/web/scale`, "merge", { spec: { replicas: 2 } });
    await cluster.settle();
    assert.deepEqual(
      live().map(({ metadata }) => metadata.name),
      running,
    );
    assert.equal(rc("web").status.replicas, 2);
  });

  test("minReadySeconds: a ready pod is available only after that time, without another event", async () => {
    await cluster.post(RCS, rcNamed("web", 1, { minReadySeconds: 1 }));
    await cluster.settle();
    await cluster.kubelet();
    await cluster.settle();
    assert.equal(rc("web").status.readyReplicas, 1);
    assert.equal(rc("web").status.availableReplicas, 0);
    const deadline = cluster.clock.monotonic() + 10_000;
    while (rc("web").status.availableReplicas !== 1 && cluster.clock.monotonic() < deadline)
      await cluster.clock.sleep(20);
    assert.equal(rc("web").status.availableReplicas, 1);
  });

  test("events say what it did", async () => {
    await cluster.post(RCS, rcNamed("web", 1));
    await cluster.settle();
    const { body } = await cluster.get(`${NS}/events?fieldSelector=involvedObject.kind%3DReplicationController`);
    assert.equal(body.items[0].reason, "SuccessfulCreate");
    assert.equal(body.items[0].message, `Created pod: ${live()[0]?.metadata.name}`);
  });
});

describe("kubernetes: endpoints", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster();
    await cluster.post("/api/v1/nodes", { kind: "Node", metadata: { name: "n1" } });
  });
  afterEach(() => cluster.close());
  const subsets = () => cluster.store.get(endpoints, "default/web")?.subsets;

  test("ready pods of the selector are its addresses, with ports found by name", async () => {
    const ports = [{ port: 80, targetPort: "http" }];
    await cluster.post(`${NS}/services`, {
      kind: "Service",
      metadata: { name: "web" },
      spec: { selector: { app: "web" }, ports },
    });
    await cluster.settle();
    assert.deepEqual(subsets(), []);
    const container = { name: "main", image: "busybox:1", ports: [{ name: "http", containerPort: 8080 }] };
    await cluster.post(PODS, podNamed("a", { containers: [container] }, { app: "web" }));
    await cluster.post(PODS, podNamed("b", {}, { app: "web" }));
    await cluster.kubelet();
    await cluster.settle();
    assert.equal(subsets()?.length, 1, "a pod without a port of that name serves nothing");
    const [subset] = subsets() ?? [];
    assert.deepEqual(subset?.ports, [{ port: 8080, protocol: "TCP" }]);
    assert.deepEqual(
      subset?.addresses?.map(({ targetRef }) => targetRef?.name),
      ["a"],
    );
    assert.equal(subset?.addresses?.[0]?.nodeName, "n1");

    await cluster.patch(`${PODS}/a/status`, "strategic", {
      status: { conditions: [{ type: "Ready", status: "False" }] },
    });
    await cluster.settle();
    assert.equal(subsets()?.[0]?.addresses, undefined);
    assert.equal(subsets()?.[0]?.notReadyAddresses?.length, 1);

    await cluster.delete(`${PODS}/a`);
    await cluster.settle();
    assert.deepEqual(subsets(), [], "a pod on its way out takes no new traffic");

    await cluster.delete(`${NS}/services/web`);
    await cluster.settle();
    assert.equal(cluster.store.get(endpoints, "default/web"), undefined);
  });

  test("without a selector the user's own Endpoints stay", async () => {
    const mine = {
      kind: "Endpoints",
      metadata: { name: "web" },
      subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 1 }] }],
    };
    await cluster.post(`${NS}/endpoints`, mine);
    await cluster.post(`${NS}/services`, {
      kind: "Service",
      metadata: { name: "web" },
      spec: { ports: [{ port: 80 }] },
    });
    await cluster.settle();
    assert.equal(subsets()?.[0]?.addresses?.[0]?.ip, "192.0.2.1");
  });
});
