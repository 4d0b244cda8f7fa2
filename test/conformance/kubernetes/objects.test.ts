import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Cluster, openCluster, podNamed } from "./cluster.ts";

const PODS = "/api/v1/namespaces/default/pods";

describe("kubernetes: creating and reading", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await openCluster();
  });
  after(() => cluster.close());

  test("a pod is stored with the defaults users see", async () => {
    const created = await cluster.post(`${PODS}?fieldManager=kubectl-create&fieldValidation=Strict`, podNamed("one"));
    assert.equal(created.status, 201, created.text);
    const { metadata, spec, status } = created.body;
    assert.equal(metadata.namespace, "default");
    assert.match(metadata.uid, /^[0-9a-f-]{36}$/);
    assert.equal(spec.restartPolicy, "Always");
    assert.equal(spec.dnsPolicy, "ClusterFirst");
    assert.equal(spec.terminationGracePeriodSeconds, 30);
    assert.equal(spec.containers[0].imagePullPolicy, "IfNotPresent");
    assert.equal(spec.tolerations, undefined);
    assert.deepEqual(status, { phase: "Pending", qosClass: "BestEffort" });
    const read = await cluster.get(`${PODS}/one`);
    assert.deepEqual(read.body, created.body);
  });

  test("a taken name is 409 AlreadyExists with details", async () => {
    await cluster.post(PODS, podNamed("twice"));
    const again = await cluster.post(PODS, podNamed("twice"));
    assert.deepEqual(again.body, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'pods "twice" already exists',
      reason: "AlreadyExists",
      details: { name: "twice", kind: "pods" },
      code: 409,
    });
  });

  test("generateName adds five letters and makes as many names as are asked for", async () => {
    const body = { ...podNamed(""), metadata: { generateName: "many-" } };
    const names = new Set<string>();
    for (let n = 0; n < 20; n++) names.add((await cluster.post(PODS, body)).body.metadata.name);
    assert.equal(names.size, 20);
    for (const name of names) assert.match(name, /^many-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  test("a missing object is 404 in kubectl's words", async () => {
    const { status, body } = await cluster.get(`${PODS}/nope`);
    assert.equal(status, 404);
    assert.equal(body.message, 'pods "nope" not found');
    assert.equal(body.reason, "NotFound");
  });

  test("an unknown path is Go's plain 404; a known path with another method is a 405 Status", async () => {
    const unknown = await cluster.get("/api/v1/foos");
    assert.equal(unknown.status, 404);
    assert.equal(unknown.text, "404 page not found\n");
    assert.match(unknown.headers.get("content-type") ?? "", /^text\/plain/);
    const wrong = await cluster.post("/api/v1/pods", podNamed("x"));
    assert.equal(wrong.status, 405, wrong.text);
    assert.equal(wrong.body.reason, "MethodNotAllowed");
  });

  test("a kind of another group says which kinds are served", async () => {
    const { status, body } = await cluster.post("/apis/apps/v1/namespaces/default/deployments", { kind: "Deployment" });
    assert.equal(status, 404);
    assert.match(body.message, /no matches for kind "Deployment" in version "apps\/v1".*ReplicationController/);
    const claims = await cluster.get("/api/v1/namespaces/default/persistentvolumeclaims?limit=1");
    assert.match(claims.body.message, /^no matches for kind "PersistentVolumeClaim" in version "v1"/);
    const posted = await cluster.post(PODS, { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "x" } });
    assert.equal(posted.status, 400);
    assert.match(posted.body.message, /no matches for kind "Deployment" in version "apps\/v1"/);
  });

  test("objects in a namespace that is not there are refused", async () => {
    const { status, body } = await cluster.post("/api/v1/namespaces/nowhere/pods", podNamed("x"));
    assert.equal(status, 404);
    assert.equal(body.message, 'namespaces "nowhere" not found');
    const mismatch = { ...podNamed("x"), metadata: { name: "x", namespace: "other" } };
    assert.equal((await cluster.post(PODS, mismatch)).status, 400);
  });

  test("the namespaces that must be there are there from the start", async () => {
    const { body } = await cluster.get("/api/v1/namespaces");
    const names = body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
    assert.deepEqual(names, ["default", "fleet", "kube-node-lease", "kube-public", "kube-system", "marathon"]);
    assert.equal((await cluster.delete("/api/v1/namespaces/kube-system")).status, 403);
  });

  test("YAML is read as YAML 1.1, and answered when asked for", async () => {
    const yaml = [
      "apiVersion: v1",
      "kind: Pod",
      "metadata: { name: from-yaml }",
      "spec:",
      "  hostNetwork: no",
      "  containers:",
      "    - name: main",
      "      image: busybox:1",
      '      env: [{ name: TIME, value: "1:30" }]',
      "      command: [sleep, 2024-01-01]",
    ].join("\n");
    const created = await cluster.post(PODS, yaml, { type: "application/yaml" });
    assert.equal(created.status, 201, created.text);
    assert.equal(created.body.spec.hostNetwork, false);
    assert.deepEqual(created.body.spec.containers[0].command, ["sleep", "2024-01-01"]);
    const read = await cluster.get(`${PODS}/from-yaml`, { accept: "application/yaml" });
    assert.match(read.text, /^apiVersion: v1\nkind: Pod\n/);
    const untyped = await cluster.post(`${PODS}?dryRun=All`, yaml.replace("from-yaml", "untyped"), { type: "" });
    assert.equal(untyped.status, 201, "kubectl create --raw says nothing about what it sends");
    const broken = await cluster.post(PODS, "kind: Pod\n  bad: [", { type: "application/yaml" });
    assert.equal(broken.status, 400);
    assert.match(broken.body.message, /line \d/);
  });

  test("bodies and answers of other types are 415 and 406", async () => {
    const sent = await cluster.post(PODS, "k8s", { type: "application/vnd.kubernetes.protobuf" });
    assert.equal(sent.status, 415);
    assert.equal(sent.body.reason, "UnsupportedMediaType");
    const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    assert.equal((await cluster.get(`${PODS}/one`, { accept: table })).status, 406);
    assert.equal((await cluster.get(`${PODS}/one`, { accept: `${table},application/json` })).status, 200);
  });

  test("unknown and duplicate fields: Strict refuses, Warn warns, Ignore drops", async () => {
    const text =
      '{"kind":"Pod","metadata":{"name":"odd"},"spec":{"foo":1,"containers":[{"name":"a","image":"b","image":"c","imge":"d"}]}}';
    const strict = await cluster.post(`${PODS}?fieldValidation=Strict`, text);
    assert.equal(strict.status, 400);
    assert.match(
      strict.body.message,
      /strict decoding error: unknown field "spec.foo", unknown field "spec.containers\[0\].imge", duplicate field "spec.containers\[0\].image"/,
    );
    const warned = await cluster.post(`${PODS}?dryRun=All`, text);
    assert.equal(warned.status, 201, warned.text);
    assert.match(warned.headers.get("warning") ?? "", /299 - "unknown field \\"spec.foo\\""/);
    assert.equal(warned.body.spec.foo, undefined);
    const ignored = await cluster.post(`${PODS}?dryRun=All&fieldValidation=Ignore`, text);
    assert.equal(ignored.headers.get("warning"), null);
  });

  test("dryRun answers as the real request would and stores nothing", async () => {
    const dry = await cluster.post(`${PODS}?dryRun=All`, podNamed("dry"));
    assert.equal(dry.status, 201);
    assert.equal(dry.body.spec.restartPolicy, "Always");
    assert.equal((await cluster.get(`${PODS}/dry`)).status, 404);
    assert.equal((await cluster.post(`${PODS}?dryRun=Some`, podNamed("dry"))).status, 422);
    const patched = await cluster.patch(`${PODS}/dry?dryRun=Some`, "merge", {});
    assert.match(patched.body.message, /^PatchOptions "" is invalid: dryRun: Unsupported value: "Some"/);
  });

  test("a type that is wrong is refused in Go's words, which name the field", async () => {
    const { status, body } = await cluster.post(PODS, podNamed("x", { terminationGracePeriodSeconds: "30" }));
    assert.equal(status, 400);
    assert.match(
      body.message,
      /json: cannot unmarshal string into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64/,
    );
  });

  test("a secret's stringData becomes data and is never read back", async () => {
    const secret = { kind: "Secret", metadata: { name: "s" }, stringData: { password: "geheim" }, data: { a: "YQ==" } };
    const { status, body } = await cluster.post("/api/v1/namespaces/default/secrets", secret);
    assert.equal(status, 201);
    assert.equal(body.type, "Opaque");
    assert.deepEqual(body.data, { a: "YQ==", password: "Z2VoZWlt" });
    assert.equal(body.stringData, undefined);
    const bad = { kind: "Secret", metadata: { name: "bad" }, data: { a: "not base64!" } };
    assert.equal((await cluster.post("/api/v1/namespaces/default/secrets", bad)).status, 400);
  });

  test("version and health", async () => {
    const { body } = await cluster.get("/version");
    assert.equal(body.major, "1");
    assert.match(body.gitVersion, /^v1\.\d+\.\d+\+styrmann/);
    for (const path of ["/healthz", "/readyz", "/livez"]) assert.equal((await cluster.get(path)).text, "ok");
    cluster.journal.refuseWith = "disk full";
    const refused = await cluster.post(PODS, podNamed("no-room"));
    assert.equal(refused.status, 503);
    assert.equal(refused.body.reason, "ServiceUnavailable");
    assert.equal((await cluster.get("/readyz")).status, 500);
    assert.equal((await cluster.get(PODS)).status, 200);
    cluster.journal.refuseWith = undefined;
    assert.equal((await cluster.post(PODS, podNamed("room"))).status, 201);
  });

  test("extensions that reach the host are for admins; what an admin put there may stay", async () => {
    const operator = { name: "olga", roles: ["operator"] as const };
    const pod = podNamed("host", { containers: [{ name: "a", driver: "process", command: ["sleep", "1"] }] });
    const refused = await cluster.post(PODS, pod, { actor: operator });
    assert.equal(refused.status, 403);
    assert.match(refused.body.message, /needs the role admin/);
    assert.equal((await cluster.post(PODS, pod)).status, 201);
    const labelled = await cluster.patch(
      `${PODS}/host`,
      "merge",
      { metadata: { labels: { a: "b" } } },
      { actor: operator },
    );
    assert.equal(labelled.status, 200, labelled.text);
  });
});
