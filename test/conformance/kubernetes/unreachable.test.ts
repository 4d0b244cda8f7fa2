import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ClusterSettings, clusterSettings } from "../../../src/model/cluster-settings.ts";
import { nodes } from "../../../src/model/node.ts";
import { testNode } from "../../../src/scheduling/test-objects.ts";
import { loseNode } from "../lost-node.ts";
import { type Cluster, openCluster, podNamed, rcNamed } from "./cluster.ts";

const PODS = "/api/v1/namespaces/default/pods";
const CONTROLLERS = "/api/v1/namespaces/default/replicationcontrollers";
const EXCLUSIVE = "styrmann.dev/exclusive";
const WHEN = "styrmann.dev/when-unreachable";

function annotated(name: string, annotations: Readonly<Record<string, string>>) {
  const pod = podNamed(name);
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

function exclusiveController(name: string, replicas: number) {
  const rc = rcNamed(name, replicas);
  const template = { ...rc.spec?.template, metadata: { labels: { app: name }, annotations: { [EXCLUSIVE]: "true" } } };
  return { ...rc, spec: { ...rc.spec, template } };
}

describe("the loss of a node, in Kubernetes' words", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await openCluster({ controllers: false });
  });
  after(() => cluster.close());
  const fieldsOf = async (path: string, body: object) => {
    const { status, body: answer } = await cluster.post(path, body);
    assert.equal(status, 422, JSON.stringify(answer));
    return answer.details.causes.map(({ field }: { field: string }) => field);
  };

  test("an annotation that cannot be understood is refused with its name", async () => {
    assert.deepEqual(await fieldsOf(PODS, annotated("a", { [EXCLUSIVE]: "yes" })), [
      `metadata.annotations[${EXCLUSIVE}]`,
    ]);
    assert.deepEqual(await fieldsOf(PODS, annotated("a", { [WHEN]: "soon" })), [`metadata.annotations[${WHEN}]`]);
    const rc = rcNamed("a", 1);
    const template = { ...rc.spec?.template, metadata: { labels: { app: "a" }, annotations: { [WHEN]: "-5m" } } };
    assert.deepEqual(await fieldsOf(CONTROLLERS, { ...rc, spec: { ...rc.spec, template } }), [
      `spec.template.metadata.annotations[${WHEN}]`,
    ]);
  });

  test("what can be understood is stored as given", async () => {
    for (const [at, rule] of ["keep", "replace", "5m"].entries()) {
      const { status, body } = await cluster.post(PODS, annotated(`ok-${at}`, { [WHEN]: rule, [EXCLUSIVE]: "true" }));
      assert.equal(status, 201);
      assert.equal(body.metadata.annotations[WHEN], rule);
    }
  });

  test("our fields may be sent too, and nonsense in them is refused", async () => {
    const rule = { action: "replace", afterMs: 5000 };
    const { status, body } = await cluster.post(PODS, podNamed("f", { exclusive: true, whenUnreachable: rule }));
    assert.equal(status, 201);
    assert.deepEqual([body.spec.exclusive, body.spec.whenUnreachable], [true, rule]);
    assert.deepEqual(await fieldsOf(PODS, podNamed("g", { whenUnreachable: { action: "wait" } })), [
      "spec.whenUnreachable.action",
    ]);
    const refused = [
      { action: "replace", afterMs: -1 },
      { action: "replace", afterMs: 9e18 },
      { action: "keep", afterMs: 5 },
    ];
    for (const whenUnreachable of refused)
      assert.deepEqual(await fieldsOf(PODS, podNamed("g", { whenUnreachable })), ["spec.whenUnreachable.afterMs"]);
    assert.deepEqual(await fieldsOf(PODS, annotated("g", { [WHEN]: "999999999999h" })), [
      `metadata.annotations[${WHEN}]`,
    ]);
  });

  test("seconds belong to a toleration of NoExecute", async () => {
    const toleration = { key: "node.kubernetes.io/unreachable", operator: "Exists", tolerationSeconds: 5 };
    for (const effect of [undefined, "NoSchedule"]) {
      const tolerations = [{ ...toleration, ...(effect ? { effect } : {}) }];
      assert.deepEqual(await fieldsOf(PODS, podNamed("g", { tolerations })), ["spec.tolerations[0].effect"]);
    }
    const { status } = await cluster.post(
      PODS,
      podNamed("t", { tolerations: [{ ...toleration, effect: "NoExecute" }] }),
    );
    assert.equal(status, 201);
  });

  test("an exclusive template has one replica, also when it is scaled", async () => {
    assert.deepEqual(await fieldsOf(CONTROLLERS, exclusiveController("many", 2)), ["spec.replicas"]);
    assert.equal((await cluster.post(CONTROLLERS, exclusiveController("one", 1))).status, 201);
    const scaled = await cluster.patch(`${CONTROLLERS}/one/scale`, "merge", { spec: { replicas: 2 } });
    assert.equal(scaled.status, 422);
    assert.match(scaled.body.message, /an exclusive template may have one replica at most/);
  });

  test("a pod is exclusive or not for life", async () => {
    await cluster.post(PODS, podNamed("plain"));
    const path = `${PODS}/plain`;
    const changed = await cluster.patch(path, "merge", { metadata: { annotations: { [EXCLUSIVE]: "true" } } });
    assert.equal(changed.status, 422);
    assert.match(changed.body.message, /field is immutable/);
  });

  test("the tolerations of 300 s are added only when the cluster's settings ask for them", async () => {
    const plain = await cluster.post(PODS, podNamed("t1"));
    assert.equal(plain.body.spec.tolerations, undefined);
    await cluster.store.update(
      (tx) =>
        void tx.create<ClusterSettings>(clusterSettings, {
          apiVersion: clusterSettings.apiVersion,
          kind: "ClusterSettings",
          metadata: { name: "cluster" },
          spec: { kubernetesDefaultTolerations: true },
        }),
    );
    const { body } = await cluster.post(PODS, podNamed("t2"));
    assert.deepEqual(
      body.spec.tolerations.map(({ key, tolerationSeconds }: { key: string; tolerationSeconds: number }) => [
        key,
        tolerationSeconds,
      ]),
      [
        ["node.kubernetes.io/not-ready", 300],
        ["node.kubernetes.io/unreachable", 300],
      ],
    );
  });

  test("the settings of the cluster are no kind of Kubernetes", async () => {
    assert.equal((await cluster.get("/api/v1/clustersettings")).status, 404);
    assert.equal((await cluster.get("/apis/styrmann.dev/v1/clustersettings")).status, 404);
  });

  test("pods of a lost node are listed as not ready, with the condition that says why", async () => {
    await cluster.post(PODS, podNamed("lost", { nodeName: "n9" }));
    await loseNode(cluster.store, "n9");
    const { body } = await cluster.get(`${PODS}/lost`);
    const conditions = Object.fromEntries(
      body.status.conditions.map(({ type, status, reason }: Record<string, string>) => [type, `${status} ${reason}`]),
    );
    assert.equal(conditions.Ready, "False NodeLost");
    assert.equal(conditions.DisruptionTarget, "True NodeUnreachable");
  });

  test("nodes show their taints and conditions, and DELETE makes one go", async () => {
    const node = testNode({ name: "n7" });
    const taints = [{ key: "node.kubernetes.io/unreachable", effect: "NoExecute" } as const];
    const conditions = [{ type: "Ready", status: "Unknown", reason: "NodeStatusUnknown" } as const];
    await cluster.store.update(
      (tx) => void tx.create(nodes, { ...node, spec: { taints }, status: { ...node.status, conditions } }),
    );
    const { body } = await cluster.get("/api/v1/nodes/n7");
    assert.deepEqual(body.spec.taints, taints);
    assert.deepEqual(body.status.conditions, conditions);
    assert.equal((await cluster.delete("/api/v1/nodes/n7")).status, 200);
    assert.equal((await cluster.get("/api/v1/nodes/n7")).status, 404);
  });
});
