import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { pods } from "../../../src/model/pod.ts";
import { type Cluster, openCluster, podNamed, rcNamed } from "./cluster.ts";

const NS = "/api/v1/namespaces/default";
const CLAIM = { "styrmann.dev/dialect": "marathon", "styrmann.dev/workload": "/prod/web" };
const APP = { apiVersion: "marathon/v2", kind: "App", name: "web", uid: "app", controller: true };

describe("kubernetes: what Marathon apps and fleet units have for their own", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await openCluster({ controllers: false });
    await cluster.get("/api/v1/namespaces");
  });
  after(() => cluster.close());

  const withMetadata = (name: string, metadata: object) => ({ ...podNamed(name), metadata: { name, ...metadata } });
  const port = { containerPort: 5353, protocol: "UDP", servicePort: 53 };
  const withPort = podNamed("p", { containers: [{ name: "main", image: "busybox:1", ports: [port] }] });

  const rows: readonly (readonly [what: string, body: object, says: RegExp])[] = [
    ["their dialect", withMetadata("p", { annotations: CLAIM }), /annotations\[styrmann\.dev\/dialect\]: Forbidden/],
    [
      "their names",
      withMetadata("p", { annotations: { "styrmann.dev/workload": "redis.service" } }),
      /annotations\[styrmann\.dev\/workload\]: Forbidden: is written by Marathon apps and fleet units alone/,
    ],
    ["their owner", withMetadata("p", { ownerReferences: [APP] }), /ownerReferences\[0\]: Forbidden/],
    ["a port of every host", withPort, /spec\.containers\[0\]\.ports\[0\]\.servicePort: Forbidden: is Marathon's/],
  ];
  for (const [what, body, says] of rows)
    test(`a pod that takes ${what} is refused`, async () => {
      const answer = await cluster.post(`${NS}/pods`, body);
      assert.equal(answer.status, 422, answer.text);
      assert.match(answer.body.message, says);
    });

  test("a replication controller whose template does is refused", async () => {
    const rc = rcNamed("web", 1) as { spec: { template: { metadata: object } } };
    const template = { ...rc.spec.template, metadata: { ...rc.spec.template.metadata, annotations: CLAIM } };
    const answer = await cluster.post(`${NS}/replicationcontrollers`, { ...rc, spec: { ...rc.spec, template } });
    assert.equal(answer.status, 422, answer.text);
    assert.match(answer.body.message, /spec\.template\.metadata\.annotations\[styrmann\.dev\/dialect\]: Forbidden/);
  });

  test("a pod that is there cannot come to it by a change of its annotations alone; an instance keeps what it has", async () => {
    await cluster.post(`${NS}/pods`, podNamed("mine"));
    const path = `${NS}/pods/mine`;
    const answer = await cluster.patch(path, "merge", { metadata: { annotations: CLAIM } });
    assert.equal(answer.status, 422, answer.text);
    await cluster.store.update((tx) => {
      const pod = tx.get(pods, "default/mine") ?? assert.fail("no pod");
      tx.update(pods, { ...pod, metadata: { ...pod.metadata, annotations: CLAIM, ownerReferences: [APP] } });
    });
    const labelled = await cluster.patch(path, "merge", { metadata: { labels: { a: "b" } } });
    assert.equal(labelled.status, 200, labelled.text);
  });
});
