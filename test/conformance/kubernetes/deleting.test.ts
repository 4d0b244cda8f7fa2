import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type Node, nodes } from "../../../src/model/node.ts";
import { pods } from "../../../src/model/pod.ts";
import { type Cluster, openCluster, podNamed, rcNamed } from "./cluster.ts";

const NS = "/api/v1/namespaces/default";
const PODS = `${NS}/pods`;

describe("kubernetes: deleting", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster();
    await cluster.post("/api/v1/nodes", { kind: "Node", metadata: { name: "n1" } });
  });
  afterEach(() => cluster.close());

  const podNames = async (path = PODS): Promise<readonly string[]> =>
    (await cluster.get(path)).body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);

  test("a pod that no node has goes at once; one that runs stays until its node says it has stopped", async () => {
    await cluster.post(PODS, podNamed("pending"));
    const first = await cluster.delete(`${PODS}/pending`, { propagationPolicy: "Background" });
    assert.equal(first.body.kind, "Pod");
    assert.deepEqual(await podNames(), []);
    await cluster.post(PODS, podNamed("runs"));
    await cluster.kubelet();
    const { body } = await cluster.delete(`${PODS}/runs`, { gracePeriodSeconds: 5 });
    assert.equal(body.metadata.deletionGracePeriodSeconds, 5);
    assert.ok(body.metadata.deletionTimestamp);
    assert.deepEqual(await podNames(), ["runs"]);
    const longer = await cluster.delete(`${PODS}/runs?gracePeriodSeconds=60`);
    assert.equal(longer.body.metadata.deletionGracePeriodSeconds, 5);
    const shorter = await cluster.delete(`${PODS}/runs?gracePeriodSeconds=1`);
    assert.equal(shorter.body.metadata.deletionGracePeriodSeconds, 1);
    await cluster.kubelet();
    assert.equal((await cluster.get(`${PODS}/runs`)).status, 404);
    for (const [name, query, body] of [
      ["by-query", "?gracePeriodSeconds=-1", undefined],
      ["by-body", "", { gracePeriodSeconds: -5 }],
    ] as const) {
      await cluster.post(PODS, podNamed(name));
      await cluster.kubelet();
      const negative = await cluster.delete(`${PODS}/${name}${query}`, body);
      assert.equal(negative.body.metadata.deletionGracePeriodSeconds, 1, "as Kubernetes reads less than nothing");
    }
  });

  test("a pod bound to a node that is not in the cluster does not stay for ever", async () => {
    await cluster.post(PODS, podNamed("lost", { nodeName: "gone" }));
    await cluster.delete(`${PODS}/lost`);
    assert.equal((await cluster.get(`${PODS}/lost`)).status, 404);
  });

  test("preconditions protect from deleting another object of the same name", async () => {
    const { body } = await cluster.post(PODS, podNamed("guarded"));
    const wrong = await cluster.delete(`${PODS}/guarded`, { preconditions: { uid: "another" } });
    assert.equal(wrong.status, 409);
    assert.equal((await cluster.delete(`${PODS}/guarded`, { preconditions: { uid: body.metadata.uid } })).status, 200);
  });

  test("an object with finalizers is marked, takes no new ones, and goes with the last", async () => {
    const map = { kind: "ConfigMap", metadata: { name: "held", finalizers: ["example.com/a"] } };
    await cluster.post(`${NS}/configmaps`, map);
    const { body } = await cluster.delete(`${NS}/configmaps/held`);
    assert.ok(body.metadata.deletionTimestamp);
    const more = await cluster.patch(`${NS}/configmaps/held`, "json", [
      { op: "add", path: "/metadata/finalizers/-", value: "example.com/b" },
    ]);
    assert.equal(more.status, 422);
    assert.match(more.body.message, /no new finalizers can be added if the object is being deleted/);
    await cluster.patch(`${NS}/configmaps/held`, "merge", { metadata: { finalizers: null } });
    assert.equal((await cluster.get(`${NS}/configmaps/held`)).status, 404);
  });

  test("deletecollection takes what the selectors pick", async () => {
    await cluster.post(PODS, podNamed("a", {}, { tier: "web" }));
    await cluster.post(PODS, podNamed("b", {}, { tier: "db" }));
    const { body } = await cluster.delete(`${PODS}?labelSelector=tier%3Dweb`);
    assert.equal(body.items.length, 1);
    assert.deepEqual(await podNames(), ["b"]);
  });

  async function controllerWithPods(name: string, replicas: number) {
    await cluster.post(`${NS}/replicationcontrollers`, rcNamed(name, replicas));
    await cluster.settle();
    await cluster.kubelet();
    await cluster.settle();
    assert.equal((await podNames()).length, replicas);
  }

  test("in the background: the controller goes, then its pods", async () => {
    await controllerWithPods("bg", 3);
    const { body } = await cluster.delete(`${NS}/replicationcontrollers/bg`, { propagationPolicy: "Background" });
    assert.equal(body.status, "Success");
    assert.equal(body.details.kind, "replicationcontrollers");
    await cluster.settle();
    for (const pod of cluster.store.list(pods)) assert.ok(pod.metadata.deletionTimestamp, "asked to stop");
    await cluster.kubelet();
    assert.deepEqual(await podNames(), []);
  });

  test("in the foreground: the controller stays until its pods are gone", async () => {
    await controllerWithPods("fg", 2);
    const { body } = await cluster.delete(`${NS}/replicationcontrollers/fg`, { propagationPolicy: "Foreground" });
    assert.deepEqual(body.metadata.finalizers, ["foregroundDeletion"]);
    await cluster.settle();
    assert.equal((await cluster.get(`${NS}/replicationcontrollers/fg`)).status, 200);
    await cluster.kubelet();
    await cluster.settle();
    assert.equal((await cluster.get(`${NS}/replicationcontrollers/fg`)).status, 404);
    assert.deepEqual(await podNames(), []);
  });

  test("orphaned, which is the v1 default: the pods stay, owned by nobody", async () => {
    await controllerWithPods("or", 2);
    await cluster.delete(`${NS}/replicationcontrollers/or`);
    await cluster.settle();
    assert.equal((await cluster.get(`${NS}/replicationcontrollers/or`)).status, 404);
    const left = cluster.store.list(pods);
    assert.equal(left.length, 2);
    for (const { metadata } of left) {
      assert.equal(metadata.ownerReferences, undefined);
      assert.equal(metadata.deletionTimestamp, undefined);
    }
  });

  test("an object stays while one of its owners is there, and a new object of the same name is not that owner", async () => {
    const owner = async (name: string) =>
      (await cluster.post(`${NS}/configmaps`, { kind: "ConfigMap", metadata: { name } })).body.metadata.uid as string;
    const reference = (name: string, uid: string) => ({ apiVersion: "v1", kind: "ConfigMap", name, uid });
    const [one, two] = [await owner("one"), await owner("two")];
    const ownerReferences = [reference("one", one), reference("two", two)];
    await cluster.post(`${NS}/secrets`, { kind: "Secret", metadata: { name: "owned", ownerReferences } });
    await cluster.delete(`${NS}/configmaps/one`);
    await owner("one");
    await cluster.settle();
    const { body } = await cluster.get(`${NS}/secrets/owned`);
    assert.deepEqual(body.metadata.ownerReferences, [reference("two", two)]);
    await cluster.delete(`${NS}/configmaps/two`);
    await cluster.settle();
    assert.equal((await cluster.get(`${NS}/secrets/owned`)).status, 404);
  });

  test("owners in a circle do not block each other", async () => {
    const map = (name: string, more: object = {}) => ({ kind: "ConfigMap", metadata: { name, ...more } });
    const { body: a } = await cluster.post(`${NS}/configmaps`, map("circle-a"));
    const from = (name: string, uid: string) => ({
      ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name, uid, blockOwnerDeletion: true }],
    });
    const { body: b } = await cluster.post(`${NS}/configmaps`, map("circle-b", from("circle-a", a.metadata.uid)));
    await cluster.patch(`${NS}/configmaps/circle-a`, "merge", { metadata: from("circle-b", b.metadata.uid) });
    await cluster.delete(`${NS}/configmaps/circle-a`, { propagationPolicy: "Foreground" });
    await cluster.settle();
    assert.deepEqual((await cluster.get(`${NS}/configmaps`)).body.items, []);
  });

  test("a namespace goes when its contents have gone, and takes nothing new meanwhile", async () => {
    await cluster.post("/api/v1/namespaces", { kind: "Namespace", metadata: { name: "team" } });
    await cluster.post("/api/v1/namespaces/team/replicationcontrollers", rcNamed("web", 2));
    await cluster.post("/api/v1/namespaces/team/configmaps", { kind: "ConfigMap", metadata: { name: "cm" } });
    await cluster.settle();
    await cluster.kubelet();
    const { body } = await cluster.delete("/api/v1/namespaces/team");
    assert.equal(body.status.phase, "Terminating");
    const late = await cluster.post("/api/v1/namespaces/team/pods", podNamed("late"));
    assert.equal(late.status, 403);
    assert.equal(late.body.details.causes[0].reason, "NamespaceTerminating");
    await cluster.settle();
    assert.equal((await cluster.get("/api/v1/namespaces/team")).status, 200, "its pods are still stopping");
    await cluster.kubelet();
    await cluster.settle();
    assert.equal((await cluster.get("/api/v1/namespaces/team")).status, 404);
    assert.deepEqual(cluster.store.list(pods), []);
  });

  test("a node's registration by its agent is a node like any other", async () => {
    const before = cluster.store.get(nodes, "n1") as Node;
    assert.deepEqual(before.status.conditions, []);
    const cordoned = await cluster.patch("/api/v1/nodes/n1", "strategic", { spec: { unschedulable: true } });
    assert.equal(cordoned.body.spec.unschedulable, true);
    const picked = await cluster.get("/api/v1/nodes?fieldSelector=spec.unschedulable%3Dtrue");
    assert.equal(picked.body.items.length, 1);
  });

  test("a node whose agent lives is refused in words, as it would come back without its cordon; a silent one goes", async () => {
    const say = (status: "True" | "Unknown") =>
      cluster.store.update((tx) => {
        const node = tx.get(nodes, "n1") as Node;
        const nodeInfo = { ...node.status.nodeInfo, machineID: "m1" };
        tx.update(nodes, { ...node, status: { ...node.status, nodeInfo, conditions: [{ type: "Ready", status }] } });
      });
    await say("True");
    const refused = await cluster.delete("/api/v1/nodes/n1");
    assert.deepEqual([refused.status, refused.body.reason], [409, "Conflict"]);
    assert.match(refused.body.message, /it is alive and would come back at once, without its cordon/);
    await say("Unknown");
    assert.equal((await cluster.delete("/api/v1/nodes/n1")).status, 200);
    assert.equal(cluster.store.get(nodes, "n1"), undefined);
  });

  test("a client that writes a node's taints anew does not start their time anew", async () => {
    const taint = { key: "maintenance", value: "yes", effect: "NoExecute" };
    const timeAdded = "2026-01-01T00:00:00Z";
    await cluster.patch("/api/v1/nodes/n1", "merge", { spec: { taints: [{ ...taint, timeAdded }] } });
    const again = await cluster.patch("/api/v1/nodes/n1", "merge", {
      spec: { taints: [taint, { ...taint, value: "no" }] },
    });
    assert.deepEqual(again.body.spec.taints, [
      { ...taint, timeAdded },
      { ...taint, value: "no" },
    ]);
  });
});
