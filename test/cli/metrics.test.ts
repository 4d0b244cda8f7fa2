/** /metrics, as a scraper reads it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { styrApi } from "../../src/api/styr-api.ts";
import type { Role } from "../../src/http/actor.ts";
import { mountApis } from "../../src/http/mount.ts";
import { withDisruption } from "../../src/model/disruption.ts";
import { nodes } from "../../src/model/node.ts";
import type { NodeStates } from "../../src/model/node-state.ts";
import { pods } from "../../src/model/pod.ts";
import type { Store } from "../../src/store/store.ts";
import { node, pod, READY } from "./objects.ts";
import { apiContext, openStore } from "./server.ts";

function scraper(store: Store, roles: readonly Role[] = ["viewer"], more: Pick<NodeStates, "moves"> = {}) {
  const lifecycle = {
    ...more,
    stateOf: (name: string) => ({ state: name === "n2" ? "unreachable" : "ready", sinceMs: 0, words: "" }) as const,
    brake: { sinceMs: 0, zones: "cluster", nodes: ["n2"], words: "" } as const,
    releaseBrake: () => [],
  };
  const process = () => ({ lagMs: 12, memoryBytes: 4096 });
  const mounted = mountApis([styrApi(apiContext(store, { lifecycle, process }))]);
  const connection = { actor: { name: "prometheus", roles }, remoteAddress: "", origin: "http://x" };
  return () => mounted.handle(new Request("http://x/metrics"), connection);
}

async function valuesOf(response: Response): Promise<ReadonlyMap<string, number>> {
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

describe("metrics:", () => {
  test("nodes, brake, pods, moves, store and loop have their values, also when these are 0", async () => {
    const store = await openStore();
    await store.update((tx) => {
      tx.create(nodes, node("n1"));
      tx.create(nodes, node("n2", false));
      tx.create(pods, pod("web-a", { nodeName: "n1", status: READY }));
    });
    const scrape = scraper(store);
    const first = await scrape();
    assert.match(first.headers.get("Content-Type") ?? "", /^text\/plain; version=0\.0\.4/);
    const values = await valuesOf(first);
    assert.equal(values.get('styr_nodes{state="ready"}'), 1);
    assert.equal(values.get('styr_nodes{state="unreachable"}'), 1);
    assert.equal(values.get('styr_nodes{state="gone"}'), 0);
    assert.equal(values.get("styr_brake_held"), 1);
    assert.equal(values.get('styr_pods{phase="Running"}'), 1);
    assert.equal(values.get('styr_pods{phase="Pending"}'), 0);
    assert.equal(values.get('styr_pod_moves_total{reason="NodeUnreachable"}'), 0);
    assert.equal(values.get("styr_store_revision"), store.revision);
    assert.equal(values.get("styr_event_loop_lag_seconds"), 0.012);
  });

  test("pods are counted as they change, and each move once", async () => {
    const store = await openStore();
    const made = await store.update((tx) => tx.create(pods, pod("web-a", { nodeName: "n1", status: READY })));
    const scrape = scraper(store);
    await scrape();
    await store.update((tx) => void tx.create(pods, pod("web-b", {})));
    await store.update((tx) => void tx.update(pods, withDisruption(made, "NodeUnreachable", "", tx.nowMs)));
    await new Promise((resolve) => setImmediate(resolve));
    const values = await valuesOf(await scrape());
    assert.equal(values.get('styr_pods{phase="Pending"}'), 1);
    assert.equal(values.get('styr_pods{phase="Running"}'), 1);
    assert.equal(values.get("styr_pods_lost"), 1);
    assert.equal(values.get('styr_pod_moves_total{reason="NodeUnreachable"}'), 1);
    await store.update((tx) => tx.remove(pods, "default/web-b"));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await valuesOf(await scrape())).get('styr_pods{phase="Pending"}'), 0);
  });

  test("what was moved before the first scrape is counted, off unreachable nodes as the lifecycle says", async () => {
    const store = await openStore();
    const scrape = scraper(store, ["viewer"], { moves: { done: 7 } });
    const made = await store.update((tx) => tx.create(pods, pod("web-a", { nodeName: "n1", status: READY })));
    await store.update((tx) => void tx.update(pods, withDisruption(made, "Drain", "", tx.nowMs)));
    await new Promise((resolve) => setImmediate(resolve));
    const values = await valuesOf(await scrape());
    assert.equal(values.get('styr_pod_moves_total{reason="NodeUnreachable"}'), 7);
    assert.equal(values.get('styr_pod_moves_total{reason="Drain"}'), 1);
  });

  test("who has no role sees nothing", async () => {
    assert.equal((await scraper(await openStore(), [])()).status, 403);
  });
});
