import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { styrApi } from "../../src/api/styr-api.ts";
import type { Role } from "../../src/http/actor.ts";
import { mountApis } from "../../src/http/mount.ts";
import { events } from "../../src/model/event.ts";
import { nodes } from "../../src/model/node.ts";
import { pods } from "../../src/model/pod.ts";
import { replicationControllers } from "../../src/model/replication-controller.ts";
import type { Store } from "../../src/store/store.ts";
import { controller, event, node, pod, READY } from "./objects.ts";
import { apiContext, openStore } from "./server.ts";

function asker(store: Store, role: Role = "admin") {
  const mounted = mountApis([styrApi(apiContext(store))]);
  const connection = { actor: { name: "somebody", roles: [role] }, remoteAddress: "", origin: "http://x" };
  return async (path: string, init: RequestInit = {}) => {
    const response = await mounted.handle(new Request(`http://x/styr/v1${path}`, init), connection);
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
}

async function filled(): Promise<Store> {
  const store = await openStore();
  await store.update((tx) => {
    tx.create(nodes, node("n1"));
    const web = tx.create(replicationControllers, controller("web", 2));
    tx.create(replicationControllers, controller("idle", 0));
    tx.create(pods, pod("web-a", { owner: web, nodeName: "n1", status: READY }));
    const pending = tx.create(pods, pod("web-b", { owner: web }));
    tx.create(pods, pod("cart", { dialect: "marathon", workload: "/shop/cart", nodeName: "n1", status: READY }));
    tx.create(events, event(pending, "FailedScheduling", "no room"));
  });
  return store;
}

describe("styr's own API:", () => {
  test("workloads join what is wanted with what runs, in order of name", async () => {
    const { body } = await asker(await filled())("/workloads");
    const rows = body.workloads.map(({ name, desired, ready, status, nodes }: never) => [
      name,
      desired,
      ready,
      status,
      nodes,
    ]);
    assert.deepEqual(rows, [
      ["/shop/cart", 1, 1, "running", ["n1"]],
      ["idle", 0, 0, "stopped", []],
      ["web", 2, 1, "degraded", ["n1"]],
    ]);
  });

  test("names with slashes are one part of the path", async () => {
    const { body } = await asker(await filled())(`/workloads/${encodeURIComponent("/shop/cart")}`);
    assert.equal(body.workload.name, "/shop/cart");
    assert.equal(body.objects[0].metadata.name, "cart");
  });

  test("inspect gives the declaring object first, then its copies", async () => {
    const { body } = await asker(await filled())("/workloads/web");
    assert.deepEqual(
      body.objects.map(({ kind, metadata }: never) => [kind, (metadata as { name: string }).name]),
      [
        ["ReplicationController", "web"],
        ["Pod", "web-a"],
        ["Pod", "web-b"],
      ],
    );
  });

  test("an unknown name is 404 with what is close, an ambiguous beginning 409 with the choice", async () => {
    const store = await filled();
    await store.update((tx) => tx.create(replicationControllers, controller("web-2", 0)));
    const ask = asker(store);
    assert.deepEqual((await ask("/workloads/wed")).body.error.message, 'nothing is named "wed"; did you mean "web"?');
    assert.equal((await ask("/workloads/we")).status, 409);
    assert.equal(
      (await ask("/workloads/we")).body.error.message,
      '"we" could be any of: kubernetes/web, kubernetes/web-2',
    );
  });

  test("why tells the worst copy first, with its events", async () => {
    const { body } = await asker(await filled())("/workloads/web/why");
    assert.equal(body.summary, "web is degraded: only 1 of 2 copies are ready");
    assert.deepEqual(
      body.pods.map(({ key }: never) => key),
      ["default/web-b", "default/web-a"],
    );
    assert.equal(body.pods[0].events[0].message, "no room");
    assert.equal(body.next[0], "styr logs web");
  });

  test("events can be asked for one workload, and name it", async () => {
    const ask = asker(await filled());
    const { body } = await ask("/events?workload=web");
    assert.deepEqual(
      body.events.map(({ workload, reason }: never) => [workload, reason]),
      [["web", "FailedScheduling"]],
    );
    assert.deepEqual((await ask("/events?workload=idle")).body.events, []);
  });

  test("all who watch events share one listing of them, and each hears of its workload alone", async () => {
    const store = await filled();
    let scans = 0;
    const scan = store.scan.bind(store);
    store.scan = (kind) => {
      if (kind.name === events.name) scans++;
      return scan(kind);
    };
    const mounted = mountApis([styrApi(apiContext(store))]);
    const actor = { name: "somebody", roles: ["viewer"] as const };
    const watch = async (workload: string) => {
      const request = new Request(`http://x/styr/v1/events?watch=true&workload=${encodeURIComponent(workload)}`);
      const { body } = await mounted.handle(request, { actor, remoteAddress: "", origin: "http://x" });
      assert.ok(body);
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      return { next: async () => JSON.parse((await reader.read()).value ?? "{}"), leave: () => reader.cancel() };
    };
    const watchers = await Promise.all(["web", "web", "web", "/shop/cart"].map(watch));
    const first = await Promise.all(watchers.map(({ next }) => next()));
    assert.deepEqual(
      first.map(({ type, row }) => row?.reason ?? type),
      ["FailedScheduling", "FailedScheduling", "FailedScheduling", "synced"],
    );
    assert.equal(scans, 1);
    await Promise.all(watchers.map(({ leave }) => leave()));
  });

  test("a node tells what is asked of it and what is wrong with it", async () => {
    const store = await openStore();
    await store.update((tx) => {
      tx.create(nodes, node("n1", false));
      const resources = { requests: { cpu: "250m", memory: "64Mi" } };
      tx.create(pods, pod("a", { nodeName: "n1", spec: { containers: [{ name: "main", resources }] } }));
      tx.create(pods, pod("over", { nodeName: "n1", status: { phase: "Succeeded" } }));
    });
    const [row] = (await asker(store)("/nodes")).body.nodes;
    assert.deepEqual([row.status, row.reason, row.pods], ["not ready", "lease ran out", 1]);
    assert.deepEqual(row.cpuMillis, { asked: 250, allocatable: 1900 });
    assert.deepEqual(row.memoryBytes, { asked: 64 * 2 ** 20, allocatable: 3 * 2 ** 30 });
  });

  test("cordon is written down with who did it, and twice is as good as once", async () => {
    const store = await filled();
    const ask = asker(store);
    for (const _ of [1, 2]) assert.equal((await ask("/nodes/n1/cordon", { method: "PUT" })).status, 204);
    assert.equal(store.get(nodes, "n1")?.spec.unschedulable, true);
    assert.equal(
      (await ask("/events")).body.events.filter(({ reason }: never) => reason === "NodeNotSchedulable").length,
      1,
    );
    assert.equal((await ask("/nodes/n1/cordon", { method: "DELETE" })).status, 204);
    assert.equal(store.get(nodes, "n1")?.spec.unschedulable, undefined);
    assert.equal((await ask("/nodes/n9/cordon", { method: "PUT" })).status, 404);
  });

  test("a viewer sees rows and objects, and moves no switches", async () => {
    const ask = asker(await filled(), "viewer");
    assert.equal((await ask("/workloads")).status, 200);
    assert.equal((await ask("/objects/Pod")).status, 200);
    assert.equal((await ask("/nodes/n1/cordon", { method: "PUT" })).status, 403);
  });

  test("stored objects are found by kind and key; unknown kinds are answered with the known ones", async () => {
    const ask = asker(await filled());
    assert.equal((await ask(`/objects/pods/${encodeURIComponent("default/cart")}`)).body.metadata.name, "cart");
    assert.equal((await ask("/objects/pod/default%2Fnope")).status, 404);
    assert.match(
      (await ask("/objects/Nope")).body.error.message,
      /kinds are ClusterSettings, .*Pod, .*ReplicationController/,
    );
  });

  test("status counts, and says when the store refuses writes", async () => {
    const { body } = await asker(await filled())("/status");
    assert.deepEqual(body.pods, { Pending: 1, Running: 2 });
    assert.deepEqual(body.nodes, {
      ready: 1,
      total: 1,
      states: { ready: 1 },
      troubles: ["n1: unit: no cgroups here"],
    });
    assert.equal(body.store.refusal, undefined);
  });

  test("wrong methods and paths are named", async () => {
    const ask = asker(await filled());
    assert.deepEqual((await ask("/workloads", { method: "POST" })).status, 405);
    assert.equal((await ask("/nope")).body.error.message, "there is no /styr/v1/nope");
    assert.equal((await ask("/workloads/web/logs?tailLines=x")).status, 400);
  });

  test("watching gives what is there, a mark, then changes and removals", async () => {
    const store = await filled();
    const mounted = mountApis([styrApi(apiContext(store))]);
    const cancel = new AbortController();
    const request = new Request("http://x/styr/v1/workloads?watch=true", { signal: cancel.signal });
    const actor = { name: "root", roles: ["admin"] as const };
    const response = await mounted.handle(request, { actor, remoteAddress: "", origin: "http://x" });
    const lines = readLines(response);
    const take = async (count: number) => {
      const taken = [];
      for (let n = 0; n < count; n++) taken.push((await lines.next()).value);
      return taken;
    };
    assert.deepEqual(
      (await take(4)).map(({ type }) => type),
      ["row", "row", "row", "synced"],
    );
    await store.update((tx) => tx.remove(pods, "default/cart"));
    assert.deepEqual(
      (await take(1)).map(({ type }) => type),
      ["gone"],
    );
    await store.update((tx) => tx.create(pods, pod("new")));
    assert.deepEqual(
      (await take(1)).map(({ type, row }) => [type, row.name]),
      [["row", "new"]],
    );
    cancel.abort();
    assert.equal((await lines.next()).done, true, "the stream ends with its client");
  });
});

async function* readLines(response: Response) {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) yield JSON.parse(part);
  }
}
