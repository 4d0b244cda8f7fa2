import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type Pod, pods } from "../../../src/model/pod.ts";
import { type Cluster, openCluster, podNamed } from "./cluster.ts";
import { EventReader } from "./events-of.ts";

const PODS = "/api/v1/namespaces/default/pods";
const names = (body: { items: { metadata: { name: string } }[] }) => body.items.map(({ metadata }) => metadata.name);

describe("kubernetes: lists", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await openCluster({ controllers: false });
    for (const [name, tier] of Object.entries({ a: "web", b: "web", c: "db", d: "db", e: "cache" })) {
      await cluster.post(PODS, podNamed(name, name === "c" ? { nodeName: "n1" } : {}, { tier }));
    }
    await cluster.post("/api/v1/namespaces/kube-system/pods", podNamed("z", {}, { tier: "web" }));
  });
  after(() => cluster.close());

  test("one namespace or all, sorted, with the revision of the snapshot", async () => {
    const { body } = await cluster.get(PODS);
    assert.equal(body.kind, "PodList");
    assert.deepEqual(names(body), ["a", "b", "c", "d", "e"]);
    assert.equal(body.metadata.resourceVersion, String(cluster.store.revision));
    assert.deepEqual(names((await cluster.get("/api/v1/pods")).body), ["a", "b", "c", "d", "e", "z"]);
  });

  for (const [selector, picked] of [
    ["tier=web", ["a", "b"]],
    ["tier!=web", ["c", "d", "e"]],
    ["tier in (db,cache)", ["c", "d", "e"]],
    ["tier notin (db,cache)", ["a", "b"]],
    ["tier", ["a", "b", "c", "d", "e"]],
    ["!tier", []],
    ["tier==db,tier", ["c", "d"]],
  ] as const) {
    test(`labelSelector ${selector}`, async () => {
      const { body } = await cluster.get(`${PODS}?labelSelector=${encodeURIComponent(selector)}`);
      assert.deepEqual(names(body), picked);
    });
  }

  for (const [selector, picked] of [
    ["metadata.name=b", ["b"]],
    ["spec.nodeName=n1", ["c"]],
    ["spec.nodeName=,status.phase=Pending", ["a", "b", "d", "e", "z"]],
    ["status.phase!=Pending", []],
    ["metadata.namespace!=default", ["z"]],
  ] as const) {
    test(`fieldSelector ${selector}`, async () => {
      const { body } = await cluster.get(`/api/v1/pods?fieldSelector=${encodeURIComponent(selector)}`);
      assert.deepEqual(names(body), picked);
    });
  }

  test("selectors that cannot be read are 400", async () => {
    const field = await cluster.get(`${PODS}?fieldSelector=spec.color%3Dred`);
    assert.equal(field.status, 400);
    assert.equal(field.body.message, "field label not supported: spec.color");
    assert.equal((await cluster.get(`${PODS}?labelSelector=a%20b`)).status, 400);
  });

  test("pages follow each other by their token and keep the first page's revision", async () => {
    const first = await cluster.get(`${PODS}?limit=2`);
    assert.deepEqual(names(first.body), ["a", "b"]);
    assert.equal(first.body.metadata.remainingItemCount, 3);
    await cluster.post(PODS, podNamed("bb"));
    const token = encodeURIComponent(first.body.metadata.continue);
    const second = await cluster.get(`${PODS}?limit=500&continue=${token}`);
    assert.deepEqual(names(second.body), ["bb", "c", "d", "e"]);
    assert.equal(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion);
    assert.equal(second.body.metadata.continue, undefined);
    assert.equal((await cluster.get(`${PODS}?continue=nonsense`)).status, 400);
  });

  test("a revision of the future is 504, an exact one of the past 410", async () => {
    const future = await cluster.get(`${PODS}?resourceVersion=999999`);
    assert.equal(future.status, 504);
    assert.match(future.body.message, /Too large resource version/);
    assert.equal((await cluster.get(`${PODS}?resourceVersion=1&resourceVersionMatch=Exact`)).body.reason, "Expired");
    assert.equal((await cluster.get(`${PODS}?resourceVersion=0`)).status, 200);
  });
});

describe("kubernetes: watches", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster({ controllers: false, historyLimit: 20 });
  });
  const watch = async (query: string) => new EventReader(await cluster.raw("GET", `${PODS}?watch=true&${query}`));

  test("from a list's revision every change comes once, in order, and DELETED carries the revision of the deletion", async (t) => {
    t.after(() => cluster.close());
    const { body } = await cluster.get(PODS);
    const events = await watch(`resourceVersion=${body.metadata.resourceVersion}`);
    await cluster.post(PODS, podNamed("a"));
    await cluster.patch(`${PODS}/a`, "merge", { metadata: { labels: { x: "y" } } });
    await cluster.delete(`${PODS}/a`);
    assert.deepEqual(await events.take(2), ["ADDED a", "MODIFIED a"]);
    const gone = await events.next();
    assert.equal(gone?.type, "DELETED");
    assert.equal(gone?.object.metadata.resourceVersion, String(cluster.store.revision));
    await events.cancel();
  });

  test("without a revision and from 0, what is there comes first as ADDED", async (t) => {
    t.after(() => cluster.close());
    await cluster.post(PODS, podNamed("a"));
    for (const query of ["", "resourceVersion=0", "fieldSelector=metadata.name%3Da&resourceVersion=0"]) {
      const events = await watch(query);
      assert.deepEqual(await events.take(1), ["ADDED a"]);
      await events.cancel();
    }
  });

  test("objects that enter or leave a selection are ADDED and DELETED", async (t) => {
    t.after(() => cluster.close());
    await cluster.post(PODS, podNamed("a", {}, { tier: "db" }));
    const events = await watch(`labelSelector=tier%3Dweb&resourceVersion=${cluster.store.revision}`);
    await cluster.patch(`${PODS}/a`, "merge", { metadata: { labels: { tier: "web" } } });
    await cluster.patch(`${PODS}/a`, "merge", { metadata: { annotations: { seen: "1" } } });
    await cluster.patch(`${PODS}/a`, "merge", { metadata: { labels: { tier: "db" } } });
    assert.deepEqual(await events.take(2), ["ADDED a", "MODIFIED a"]);
    const left = await events.next();
    assert.equal(left?.type, "DELETED");
    assert.equal(left?.object.metadata.labels.tier, "web");
    assert.equal(left?.object.metadata.resourceVersion, String(cluster.store.revision));
    await events.cancel();
  });

  test("a revision that is no longer kept is a 410 ERROR event that ends the watch", async (t) => {
    t.after(() => cluster.close());
    for (let n = 0; n < 60; n++) await cluster.post(PODS, podNamed(`p${n}`));
    const events = await watch("resourceVersion=2");
    const error = await events.next();
    assert.equal(error?.type, "ERROR");
    assert.equal(error?.object.code, 410);
    assert.equal(error?.object.reason, "Expired");
    assert.match(error?.object.message, /too old resource version/);
    assert.equal(await events.next(), undefined);
  });

  test("timeoutSeconds ends the watch, with a bookmark just before when they are asked for", async (t) => {
    t.after(() => cluster.close());
    const events = await watch(`timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=${cluster.store.revision}`);
    const bookmark = await events.next();
    assert.deepEqual(bookmark, {
      type: "BOOKMARK",
      object: { kind: "Pod", apiVersion: "v1", metadata: { resourceVersion: String(cluster.store.revision) } },
    });
    assert.equal(await events.next(), undefined);
  });

  test("a client that does not read costs nothing and is told to list again", async (t) => {
    t.after(() => cluster.close());
    const events = await watch(`resourceVersion=${cluster.store.revision}`);
    for (let n = 0; n < 100; n++) await cluster.post(PODS, podNamed(`p${n}`));
    const types: string[] = [];
    for (let event = await events.next(); event; event = await events.next()) types.push(event.type);
    assert.equal(types.at(-1), "ERROR");
    assert.ok(types.length < 100, "nothing was kept for a client that does not read");
  });

  test("an object is turned into text once, for the journal and for every watcher", async (t) => {
    t.after(() => cluster.close());
    const watchers = await Promise.all(
      Array.from({ length: 20 }, () => watch(`resourceVersion=${cluster.store.revision}`)),
    );
    let written = 0;
    const counted = {
      toJSON() {
        written++;
        return {};
      },
    };
    await cluster.store.update((tx) => {
      const spec = { containers: [], counted } as Pod["spec"];
      const metadata = { name: "once", namespace: "default" };
      tx.create<Pod>(pods, { apiVersion: "v1", kind: "Pod", metadata, spec, status: { phase: "Pending" } });
    });
    for (const events of watchers) {
      assert.deepEqual(await events.take(1), ["ADDED once"]);
      await events.cancel();
    }
    assert.equal(written, 1);
  });

  test("a client that goes away leaves no watcher behind", async (t) => {
    t.after(() => cluster.close());
    const gone = new AbortController();
    const response = await cluster.raw("GET", `${PODS}?watch=true`, { signal: gone.signal });
    const events = new EventReader(response);
    const last = events.next();
    gone.abort();
    assert.equal(await last, undefined);
  });

  test("the streaming list of newer clients is refused, so that they list instead", async (t) => {
    t.after(() => cluster.close());
    const query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    assert.equal((await cluster.get(`${PODS}?${query}`)).status, 422);
  });
});
