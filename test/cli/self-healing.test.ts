/** What people see and say about lost nodes: the real command line against our own endpoints, with a lifecycle that says what the test wants. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { styrApi } from "../../src/api/styr-api.ts";
import { mountApis } from "../../src/http/mount.ts";
import { clusterSettings } from "../../src/model/cluster-settings.ts";
import { events } from "../../src/model/event.ts";
import { nodes } from "../../src/model/node.ts";
import type { BrakeState, NodeState, NodeStates } from "../../src/model/node-state.ts";
import { pods } from "../../src/model/pod.ts";
import { replicationControllers } from "../../src/model/replication-controller.ts";
import { recordEvent } from "../../src/store/record-event.ts";
import type { Store } from "../../src/store/store.ts";
import { controller, node, pod, READY } from "./objects.ts";
import { styr as run } from "./run-styr.ts";
import { apiContext, openStore, serve, type TestServer } from "./server.ts";

/** As told: n1 well, n2 and n3 silent, and the brake holding both until it is released. */
class ToldStates implements NodeStates {
  readonly states = new Map<string, NodeState>([
    ["n1", { state: "ready", sinceMs: 0, words: "it beats" }],
    ["n2", { state: "unreachable", sinceMs: 0, words: "silent for 20 s" }],
    ["n3", { state: "suspect", sinceMs: 0, words: "silent for 4 s" }],
  ]);
  held: readonly string[] = ["n2", "n3"];
  by = "";

  stateOf(name: string): NodeState | undefined {
    return this.states.get(name);
  }

  get brake(): BrakeState | undefined {
    if (this.held.length === 0) return undefined;
    return { sinceMs: Date.now() - 60_000, zones: "cluster", nodes: this.held, words: "2 of 3 nodes fell silent" };
  }

  releaseBrake(names: readonly string[] | undefined, by: string): readonly string[] {
    const freed = this.held.filter((name) => names?.includes(name) ?? true);
    this.held = this.held.filter((name) => !freed.includes(name));
    this.by = by;
    return freed;
  }
}

describe("when nodes are lost", () => {
  let server: TestServer;
  let store: Store;
  let lifecycle: ToldStates;
  const styr = (...args: readonly string[]) => run(server.url, args);

  before(async () => {
    store = await openStore();
    lifecycle = new ToldStates();
    await store.update((tx) => {
      const unwell = node("n1");
      const stalled = {
        type: "Healthy",
        status: "False",
        reason: "IOStalled",
        message: "its disk stands still",
      } as const;
      const conditions = [...unwell.status.conditions, stalled];
      tx.create(nodes, { ...unwell, status: { ...unwell.status, conditions } });
      tx.create(nodes, node("n2", false));
      tx.create(nodes, node("n3"));
      const web = tx.create(replicationControllers, controller("web", 2));
      tx.create(pods, pod("web-a", { owner: web, nodeName: "n1", status: READY }));
      tx.create(pods, pod("web-b", { owner: web, nodeName: "n2", status: READY }));
    });
    server = await serve(store, mountApis([styrApi(apiContext(store, { lifecycle }))]));
  });
  after(() => server.close());

  test("nodes show their state, since when, their health and what the brake holds", async () => {
    const { out, err } = await styr("nodes");
    assert.match(out, /n1 +ready +\S+ +\S+ +IOStalled/);
    assert.match(out, /n2 +unreachable, held by the brake +\S+ +\S+ +\?/);
    assert.match(out, /n3 +suspect, held by the brake/);
    assert.match(out, /silent for 20 s/);
    assert.match(err, /THE BRAKE HOLDS since .*: 2 of 3 nodes fell silent/);
  });

  test("status begins with the brake and the command that releases it", async () => {
    const { out } = await styr("status");
    const [first = "", second = "", third = ""] = out.split("\n");
    assert.match(first, /^THE BRAKE HOLDS since 6\ds?.*: 2 of 3 nodes fell silent/);
    assert.match(second, /held: n2, n3/);
    assert.match(third, /if they are really gone: styr .*brake release/);
    assert.match(out, /nodes +1 of 3 ready, 1 suspect, 1 unreachable/);
  });

  test("ps and events say it above their tables, and not in what programs read", async () => {
    assert.match((await styr("ps")).err, /THE BRAKE HOLDS/);
    assert.match((await styr("events")).err, /THE BRAKE HOLDS/);
    assert.equal((await styr("ps", "-o", "json")).err, "");
  });

  test("one node can be released, then all, and each time it is said what was done", async () => {
    assert.match((await styr("brake")).out, /held: n2, n3/);
    const one = await styr("brake", "release", "n2");
    assert.match(one.out, /^released n2: their pods are replaced now/);
    assert.match(one.out, /still held: n3/);
    assert.equal(lifecycle.by, "root");
    assert.match(one.err, /next: .*ps -w/);
    assert.match((await styr("brake", "release")).out, /released n3.*\nthe brake does not hold any more/);
    const none = await styr("brake", "release");
    assert.equal(none.code, 0);
    assert.match(none.out, /nothing to release/);
    assert.match((await styr("brake")).out, /the brake does not hold/);
    const unknown = await styr("brake", "release", "n9");
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /there is no node "n9"/);
  });

  test("a node that is alive is not forgotten without --force; one that is lost is, after what is on it was shown", async () => {
    const alive = await styr("forget", "n1");
    assert.equal(alive.code, 1);
    assert.match(
      alive.err,
      /n1 is alive: it would come back at once; styr drain n1, then styr uninstall on .*: styr forget n1 --force$/m,
    );
    const lost = await styr("forget", "n2");
    assert.equal(lost.code, 0, lost.err);
    assert.match(lost.out, /^on n2:\n {2}web: 1 of 2 copies\nnode n2 forgotten\n$/);
    assert.equal(store.get(nodes, "n2"), undefined);
    assert.ok(store.list(events).some(({ reason }) => reason === "NodeForgotten"));
    await store.update((tx) => {
      const { metadata, ...rest } = tx.get(nodes, "n1") ?? assert.fail("it is there");
      tx.create(nodes, { ...rest, metadata: { name: "n8", ...(metadata.labels ? { labels: metadata.labels } : {}) } });
    });
    const forced = await styr("forget", "n3", "n8", "--force");
    assert.equal(forced.code, 0, forced.err);
    assert.match(forced.out, /node n3 forgotten\n(?:.*\n)*node n8 forgotten/);
    assert.match(forced.err, /keeps running what it ran, beside what replaces it.*styr uninstall there/);
  });

  test("events are asked for by a node's name, too; a name that nobody has is refused", async () => {
    await store.update((tx) => {
      const n1 = tx.get(nodes, "n1");
      assert.ok(n1);
      recordEvent(tx, n1, { type: "Normal", reason: "Looked", message: "at n1 alone", component: "test" });
    });
    const { code, out, err } = await styr("events", "n1");
    assert.equal(code, 0, err);
    assert.match(out, /Looked +Node n1/);
    assert.doesNotMatch(out, /n3|SettingsChanged/);
    const unknown = await styr("events", "n77");
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /nothing is named "n77"/);
  });

  test("settings are shown with their defaults, set, and taken back, and who did it is an event", async () => {
    assert.match((await styr("settings")).out, /unreachable-after +8s +\(default\) +silent for so long/);
    const set = await styr("settings", "set", "unreachable-after=10s", "brake-share=60%");
    assert.equal(set.code, 0, set.err);
    assert.equal(set.out, "unreachable-after is 10s\nbrake-share is 0.6\n");
    assert.match((await styr("settings")).out, /unreachable-after +10s +8s/);
    assert.deepEqual(store.get(clusterSettings, "cluster")?.spec, { unreachableAfterMs: 10_000, brakeShare: 0.6 });
    const [change] = store.list(events).filter(({ reason }) => reason === "SettingsChanged");
    assert.match(change?.message ?? "", /root set .* to .* \(it was .*\)/);
    assert.equal((await styr("settings", "unset", "unreachable-after")).out, "unreachable-after is 8s\n");
    assert.deepEqual(store.get(clusterSettings, "cluster")?.spec, { brakeShare: 0.6 });
  });

  test("settings that cannot be meant are refused in one sentence, and nothing is changed", async () => {
    const before = store.get(clusterSettings, "cluster")?.spec;
    const cases = [
      [["unreachable-after=2s"], /unreachable-after must be more than suspect-after/],
      [["unreachable-after=soon"], /expected a duration/],
      [["patience=5s"], /there is no setting "patience"; there are: heartbeat,/],
      [["heartbeat"], /give NAME=VALUE/],
    ] as const;
    for (const [words, message] of cases) {
      const { code, err } = await styr("settings", "set", ...words);
      assert.equal(code, 1);
      assert.match(err, message);
    }
    assert.deepEqual(store.get(clusterSettings, "cluster")?.spec, before);
  });

  test("a setting that needs others is refused once, with the command that works", async () => {
    const refused = await styr("settings", "set", "unreachable-after=60s");
    assert.equal(refused.code, 1);
    const wanted = "unreachable-after=60s exclusive-after=2m start-grace=1m";
    const [, next = ""] = /^next: .*settings set (.*)$/m.exec(refused.err) ?? [];
    assert.equal(next, wanted, refused.err);
    assert.equal((await styr("settings", "set", ...next.split(" "))).code, 0);
    const back = await styr("settings", "unset", "exclusive-after");
    assert.equal(back.code, 1);
    assert.match(back.err, /^next: .*settings set exclusive-after=40s unreachable-after=20s$/m);
    assert.equal((await styr("settings", "unset", "unreachable-after", "exclusive-after", "start-grace")).code, 0);
  });

  test("settings are taken by the names that -o json shows", async () => {
    const set = await styr("settings", "set", "exclusiveAfterMs=50000", "brakeAtLeast=3");
    assert.equal(set.out, "exclusive-after is 50s\nbrake-at-least is 3\n", set.err);
    assert.equal((await styr("settings", "unset", "exclusiveAfterMs", "brake-at-least")).code, 0);
  });

  test("who may only look changes nothing", async () => {
    const mounted = mountApis([styrApi(apiContext(store, { lifecycle }))]);
    const viewer = { actor: { name: "v", roles: ["viewer"] as const }, remoteAddress: "", origin: "http://x" };
    const asked = [
      ["GET", "settings", 200],
      ["GET", "brake", 200],
      ["PATCH", "settings", 403],
      ["POST", "brake/release", 403],
      ["DELETE", "nodes/n1", 403],
    ] as const;
    for (const [method, path, status] of asked) {
      const request = new Request(`http://x/styr/v1/${path}`, {
        method,
        ...(method === "PATCH" ? { body: "{}" } : {}),
      });
      assert.equal((await mounted.handle(request, viewer)).status, status, `${method} ${path}`);
    }
  });
});
