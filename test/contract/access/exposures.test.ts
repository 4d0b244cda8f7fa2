/** styr expose over the API: whose it is, what it refuses, and which node may have which certificate. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { NodeCalls } from "../../../src/dispatcher/node-calls.ts";
import type { Actor } from "../../../src/http/actor.ts";
import { CLUSTER_SETTINGS_NAME, type ClusterSettings, clusterSettings } from "../../../src/model/cluster-settings.ts";
import type { LeaseDesk } from "../../../src/model/heartbeat.ts";
import { type Node, nodes } from "../../../src/model/node.ts";
import { type Pod, pods } from "../../../src/model/pod.ts";
import { type Secret, secrets } from "../../../src/model/secret.ts";
import { addNode, nodeOf } from "./nodes.ts";
import { ADMIN, openStage, type Stage } from "./stage.ts";

const SHOP: Actor = { name: "shop", roles: [], rolesIn: { shop: ["operator"] } };
const VIEWER: Actor = { name: "viewer", roles: ["viewer"] };

describe("styr expose:", () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
    for (const name of ["shop", "other"])
      await stage.ask(ADMIN, "POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    for (const namespace of ["shop", "other"])
      await stage.ask(ADMIN, "POST", `/api/v1/namespaces/${namespace}/pods`, {
        ...{ apiVersion: "v1", kind: "Pod", metadata: { name: `${namespace}-web`, labels: { app: namespace } } },
        spec: { containers: [{ name: "c", image: "x", ports: [{ containerPort: 80 }] }] },
      });
    await addNode(stage, "in", { "styrmann.dev/way-in": "true" });
  });
  after(() => stage.close());

  const expose = (as: Actor, body: object) => stage.ask(as, "POST", "/styr/v1/exposures", body);

  test("is for who may write where the workload is; a viewer may not, and another namespace's is not known to be there", async () => {
    const mine = await expose(SHOP, { workload: "shop-web", host: "Shop.example.org" });
    assert.equal(mine.status, 201, mine.text);
    assert.equal(mine.body.route.url, "http://shop.example.org");
    assert.equal((await expose(SHOP, { workload: "other-web", host: "o.example.org" })).status, 404);
    assert.equal((await expose(VIEWER, { workload: "shop-web", host: "v.example.org" })).status, 403);
    assert.equal((await expose(SHOP, { workload: "shop-web", host: "shop.example.org" })).status, 200);
  });

  test("a host and path that is another's is refused with its name", async () => {
    const { status, text } = await expose(ADMIN, { workload: "other-web", host: "shop.example.org" });
    assert.equal(status, 409);
    assert.match(text, /shop-web/);
    assert.equal(
      (await expose(ADMIN, { workload: "other-web", host: "shop.example.org", path: "/other" })).status,
      201,
    );
  });

  const refused: readonly (readonly [why: string, body: object, status: number])[] = [
    ["a host that is none", { host: "a b" }, 400],
    ["no host, as of an unset variable", { host: "" }, 400],
    ["an address", { host: "10.1.2.3" }, 400],
    ["a path that is none", { host: "a.example.org", path: "/a b" }, 400],
    ["a port that is none", { host: "a.example.org", port: 0 }, 400],
    ["ACME for a wildcard", { host: "*.example.org", tls: { acme: true } }, 400],
    ["a certificate of another namespace", { host: "a.example.org", tls: { secret: "other/tls" } }, 403],
    [
      "a file of the nodes, by who has rights in some namespaces only",
      { host: "a.example.org", tls: { file: "/etc/x.pem" } },
      403,
    ],
    ["a file without a whole path", { host: "a.example.org", tls: { file: "x.pem" } }, 400],
    ["an option that there is not", { host: "a.example.org", raw: "x" }, 400],
  ];
  for (const [why, body, status] of refused)
    test(`refuses ${why}`, async () =>
      assert.equal((await expose(SHOP, { workload: "shop-web", ...body })).status, status));

  test("a host that another namespace has is refused with its name, but for who may write in the whole cluster", async () => {
    assert.equal((await expose(ADMIN, { workload: "other-web", host: "other.example.org" })).status, 201);
    const { status, text } = await expose(SHOP, { workload: "shop-web", host: "other.example.org", path: "/x" });
    assert.equal(status, 409);
    assert.match(text, /other\.example\.org is other's .*styrmann\.dev\/share-host-with=shop/);
    const granted = await expose(ADMIN, { workload: "shop-web", host: "other.example.org", path: "/x" });
    assert.equal(granted.status, 201, granted.text);
    assert.equal(granted.body.route.isServed, true);
    // Its user may change it, and keeps what was granted.
    const changed = await expose(SHOP, { workload: "shop-web", host: "other.example.org", path: "/x", port: 81 });
    assert.deepEqual([changed.status, changed.body.route.isServed], [200, true]);
    for (const { body } of [granted, await expose(ADMIN, { workload: "other-web", host: "other.example.org" })])
      await stage.ask(ADMIN, "DELETE", `/styr/v1/exposures/${body.route.exposure}`);
  });

  test("routes of a namespace are bounded, with Ingresses; who has one may change it", async () => {
    const set = (more: object) =>
      stage.store.update((tx) => {
        const settings = tx.get(clusterSettings, CLUSTER_SETTINGS_NAME);
        const spec = { ...settings?.spec, ...more };
        if (settings) return tx.update<ClusterSettings>(clusterSettings, { ...settings, spec });
        const { apiVersion } = clusterSettings;
        const metadata = { name: CLUSTER_SETTINGS_NAME };
        return tx.create<ClusterSettings>(clusterSettings, { apiVersion, kind: "ClusterSettings", metadata, spec });
      });
    await set({ routesPerNamespace: 1 });
    const more = await expose(SHOP, { workload: "shop-web", host: "more.example.org" });
    assert.equal(more.status, 403);
    assert.match(more.text, /may have 1 routes/);
    assert.equal((await expose(SHOP, { workload: "shop-web", host: "shop.example.org" })).status, 200);
    await set({ routesPerNamespace: 5000 });
  });

  test("shows the URL with the workload, as an Ingress does", async () => {
    const service = { metadata: { name: "web" }, spec: { selector: { app: "shop" }, ports: [{ port: 80 }] } };
    await stage.ask(ADMIN, "POST", "/api/v1/namespaces/shop/services", {
      apiVersion: "v1",
      kind: "Service",
      ...service,
    });
    const backend = { service: { name: "web", port: { number: 80 } } };
    const rules = [{ host: "in.example.org", http: { paths: [{ path: "/x", pathType: "Prefix", backend }] } }];
    const made = await stage.ask(ADMIN, "POST", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses", {
      ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "web" } },
      spec: { rules, tls: [{ hosts: ["in.example.org"], secretName: "tls" }] },
    });
    assert.equal(made.status, 201, made.text);
    const { body } = await stage.ask(ADMIN, "GET", "/styr/v1/workloads");
    const row = body.workloads.find(({ name }: { name: string }) => name === "shop-web");
    assert.deepEqual(row.urls, ["https://in.example.org/x", "http://shop.example.org"].sort());
    const inspected = await stage.ask(ADMIN, "GET", "/styr/v1/workloads/shop-web");
    assert.equal(inspected.body.workload.urls.length, 2);
  });

  test("the list shows everybody his part", async () => {
    const hosts = async (as: Actor) => {
      const { body } = await stage.ask(as, "GET", "/styr/v1/routes");
      return body.routes.map(({ host, path }: { host: string; path: string }) => host + path);
    };
    assert.deepEqual(await hosts(ADMIN), ["in.example.org/x", "shop.example.org/", "shop.example.org/other"]);
    assert.deepEqual(await hosts(SHOP), ["in.example.org/x", "shop.example.org/"]);
  });

  test("is taken back by who may; another's is not known to be there", async () => {
    const { body } = await stage.ask(ADMIN, "GET", "/styr/v1/routes");
    const of = (path: string) => body.routes.find((row: { path: string }) => row.path === path).exposure;
    assert.equal((await stage.ask(SHOP, "DELETE", `/styr/v1/exposures/${of("/other")}`)).status, 404);
    assert.equal((await stage.ask(SHOP, "DELETE", `/styr/v1/exposures/${of("/")}`)).status, 204);
    assert.equal((await stage.ask(ADMIN, "DELETE", `/styr/v1/exposures/${of("/")}`)).status, 404);
  });

  test("a node has the certificates of routes if it is a way in, and no other secret", async () => {
    const { store } = stage;
    await store.update((tx) => {
      for (const name of ["tls", "password"])
        tx.create<Secret>(secrets, {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name, namespace: "shop" },
          data: {},
        });
      for (const [name, label] of [
        ["way-in", "true"],
        ["plain", "false"],
      ] as const)
        tx.create<Node>(nodes, nodeOf(name, { "styrmann.dev/way-in": label }));
    });
    const read = (node: string, name: string) =>
      new NodeCalls(node, store, {} as LeaseDesk).carryOut(1, {
        method: "values",
        kind: "Secret",
        namespace: "shop",
        name,
      } as never);
    assert.deepEqual(await read("way-in", "tls"), {});
    await assert.rejects(read("way-in", "password"), /may not read Secret/);
    await assert.rejects(read("plain", "tls"), /may not read Secret/);
    assert.equal(store.list<Pod>(pods).length, 2);
  });
});
