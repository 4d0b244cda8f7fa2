import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type {
  ClusterEntry,
  EndpointEntry,
  EndpointsEntry,
  NetworkEntry,
  NetworkNews,
  PeersEntry,
  PolicyEntry,
} from "../../model/network.ts";
import { SHELVES, shelfOf } from "../../model/network-shelves.ts";
import { NetworkState } from "./network-state.ts";
import { Touched } from "./touched.ts";
import { unlistedThings, unlistedWords } from "./unlisted-words.ts";

const cluster = (isRestored: boolean, restoration?: string): ClusterEntry => ({
  ...{ kind: "cluster", id: "cluster", podRange: "10.42.0.0/16", serviceRange: "10.96.0.0/12" },
  ...{ domain: "cluster.local", mode: "auto" },
  ...(isRestored ? { isRestored: true, ...(restoration === undefined ? {} : { restoration }) } : {}),
});
const policy = (name: string, group: string): PolicyEntry => ({
  ...{ kind: "policy", id: `shop/${name}`, namespace: "shop", podSelector: {} },
  ingress: [{ from: [{ peers: group }] }],
});
const peers = (group: string, node: string): PeersEntry => ({
  ...{ kind: "peers", id: `${group} ${node}`, group, addresses: ["10.42.1.2"] },
});
const service: NetworkEntry = {
  ...{ kind: "service", id: "shop/late", addresses: ["10.96.0.9"], ports: [] },
  ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
};

const BACKUP: readonly NetworkEntry[] = [policy("old", "front"), peers("front", "n1")];
const SINCE: readonly NetworkEntry[] = [policy("late", "back"), peers("back", "n1"), service];

/** A node that has heard all, and is told by a control plane what its backup has. */
function restored(news: (state: NetworkState) => Exclude<NetworkNews, { type: "settled" }>): NetworkState {
  const state = new NetworkState("n1");
  state.hear({ type: "all", revision: 9, entries: [cluster(false), ...BACKUP, ...SINCE] }, new Touched());
  state.hear(news(state), new Touched());
  return state;
}

const all = (entries: readonly NetworkEntry[]) => ({ type: "all", revision: 1, entries }) as const;
const keysOf = ({ tables }: NetworkState) =>
  [...tables.policy.values(), ...tables.peers.values(), ...tables.service.values()].map(
    ({ kind, id }) => `${kind} ${id}`,
  );
const told = (entries: readonly NetworkEntry[]) => {
  const state = new NetworkState("n1");
  state.hear(all(entries), new Touched());
  return state;
};
const endpoints = (id: string, uid: string, state: EndpointEntry["state"]): EndpointsEntry => ({
  ...{ kind: "endpoints", id, service: "shop/late", ports: [] },
  endpoints: [{ address: "10.42.9.2", uid, state }],
});
const LATE: readonly NetworkEntry[] = [
  service,
  endpoints("late-1", "u1", "ready"),
  { kind: "names", id: "u1", records: [] },
  {
    ...{ kind: "route", id: "exposed late", host: "late.example", path: "/", pathType: "prefix" },
    ...{ service: "shop/late", port: 80, source: "exposed" },
  },
  { kind: "node", id: "n9", address: "192.0.2.9", podRange: "10.42.9.0/24" },
];
const entriesOf = ({ tables }: NetworkState) =>
  Object.values(tables).flatMap((table: ReadonlyMap<string, NetworkEntry>) => [...table.values()]);
const keyOf = ({ kind, id }: NetworkEntry) => `${kind} ${id}`;
const heldBy = (state: NetworkState) => {
  const keys = new Set(entriesOf(state).map(keyOf));
  return LATE.map(keyOf).filter((key) => keys.has(key));
};
const KEPT = ["policy shop/old", "policy shop/late", "peers front n1", "peers back n1", "service shop/late"];

describe("a control plane that was restored from a backup", () => {
  test("and that nobody has confirmed opens nothing by not knowing a policy: it stays, with its addresses, and is named", () => {
    const state = restored(() => all([cluster(true), ...BACKUP]));
    assert.deepEqual(keysOf(state), KEPT);
    assert.match(
      unlistedWords(state.unlisted).words ?? "",
      /^the restored control plane does not know shop\/late: in force/,
    );
    state.hear(all([cluster(true), ...BACKUP]), new Touched());
    assert.deepEqual(keysOf(state), KEPT, "also when it is told once more");
  });

  test("tells shelves alone to who has most: what is on none of them stays as well", () => {
    const others = new Set(SINCE.map(({ kind, id }) => shelfOf(kind, id)).concat(shelfOf("cluster", "cluster")));
    const kept = new Set(Array.from({ length: SHELVES }, (_, shelf) => shelf).filter((shelf) => !others.has(shelf)));
    const listed = BACKUP.filter(({ kind, id }) => others.has(shelfOf(kind, id)));
    const state = restored(() => ({ ...all([cluster(true), ...listed]), kept }));
    assert.deepEqual(keysOf(state), KEPT);
  });

  test("has it go when it is confirmed, and that is news for the rules", () => {
    const state = restored(() => all([cluster(true), ...BACKUP]));
    const touched = new Touched();
    state.hear({ type: "changed", revision: 2, entries: [cluster(false)], removed: [] }, touched);
    assert.deepEqual(keysOf(state), ["policy shop/old", "peers front n1"]);
    assert.deepEqual([[...touched.policies], [...touched.groups]], [["shop/late"], ["back"]]);
    assert.deepEqual(unlistedWords(state.unlisted), {});
  });

  test("learns of it again when somebody applies it: its addresses are what is told then, and it stays for good", () => {
    const state = restored(() => all([cluster(true), ...BACKUP]));
    const entries = [policy("late", "back"), peers("back", "n2")];
    state.hear({ type: "changed", revision: 2, entries, removed: [] }, new Touched());
    assert.deepEqual(unlistedWords(state.unlisted), {});
    assert.deepEqual(
      state.peersOf("back").map(({ id }) => id),
      ["back n2"],
    );
    state.hear({ type: "changed", revision: 3, entries: [cluster(false)], removed: [] }, new Touched());
    assert.ok(keysOf(state).includes("policy shop/late"));
    state.hear(
      { type: "changed", revision: 4, entries: [], removed: [{ kind: "policy", id: "shop/late" }] },
      new Touched(),
    );
    assert.ok(!keysOf(state).includes("policy shop/late"));
  });

  test("says who is of a group that its own policies name too", () => {
    const late = policy("late", "front");
    const state = new NetworkState("n1");
    state.hear(all([cluster(false), ...BACKUP, late, peers("front", "n2")]), new Touched());
    state.hear(all([cluster(true), ...BACKUP]), new Touched());
    assert.deepEqual(
      state.peersOf("front").map(({ id }) => id),
      ["front n1"],
    );
    assert.ok(keysOf(state).includes("policy shop/late"));
  });

  test("and was confirmed is believed, as one that never was is", () => {
    assert.deepEqual(keysOf(restored(() => all([cluster(false), ...BACKUP]))), ["policy shop/old", "peers front n1"]);
  });

  test("takes no Service, no endpoint, no name, no route and no node away either, nor from an agent that starts anew", () => {
    const state = told([cluster(false), ...LATE]);
    state.hear(all([cluster(true, "r1")]), new Touched());
    assert.deepEqual(heldBy(state), LATE.map(keyOf));
    assert.deepEqual(unlistedThings(state), [
      { kind: "Service", count: 1, names: ["shop/late"] },
      { kind: "route", count: 1, names: ["late.example/ of exposed"] },
      { kind: "node", count: 1, names: ["n9"] },
    ]);
    const again = new NetworkState("n1");
    again.remember(JSON.parse(JSON.stringify(entriesOf(state))), new Touched());
    assert.deepEqual([...again.unlisted], [...state.unlisted], "its disk knows it");
    again.hear(all([cluster(true, "r1")]), new Touched());
    assert.deepEqual(heldBy(again), LATE.map(keyOf));
    again.hear(all([cluster(false)]), new Touched());
    assert.deepEqual(heldBy(again), []);
  });

  test("takes away what somebody has taken from it, also from a node that was away meanwhile", () => {
    const state = told([cluster(false), ...BACKUP, ...SINCE]);
    state.hear(all([cluster(true, "r1"), ...BACKUP]), new Touched());
    state.hear(all([cluster(true, "r1")]), new Touched());
    assert.deepEqual(keysOf(state), ["policy shop/late", "peers back n1", "service shop/late"]);
  });

  test("is told apart from one that was restored after it: what the first knew stays with the second", () => {
    const state = told([cluster(false), ...BACKUP, ...SINCE]);
    state.hear(all([cluster(true, "r1"), ...BACKUP]), new Touched());
    state.hear(all([cluster(true, "r2")]), new Touched());
    assert.deepEqual(keysOf(state), KEPT);
  });

  test("does not open a policy that was changed since: it stays as it was changed until it is confirmed, or changed again", () => {
    const [old, newer] = [policy("old", "front"), { ...policy("old", "front"), ingress: [] }];
    const held = () => {
      const state = told([cluster(false), newer]);
      for (let time = 0; time < 2; time++) state.hear(all([cluster(true, "r1"), old]), new Touched());
      assert.deepEqual(state.tables.policy.get("shop/old")?.ingress, []);
      assert.match(
        unlistedWords(state.unlisted, state.tables).words ?? "",
        /^the restored control plane has an earlier shop\/old: in force/,
      );
      return state;
    };
    const confirmed = held();
    confirmed.hear({ type: "changed", revision: 2, entries: [cluster(false)], removed: [] }, new Touched());
    assert.deepEqual(confirmed.tables.policy.get("shop/old"), old);
    const applied = { ...old, podSelector: { matchLabels: { app: "web" } } };
    const changed = held();
    changed.hear(all([cluster(true, "r1"), applied]), new Touched());
    assert.deepEqual(changed.tables.policy.get("shop/old"), applied, "by a node that was away meanwhile");
    assert.deepEqual([...changed.unlisted], []);
    const known = told([cluster(false), old]);
    known.hear(all([cluster(true, "r1"), old]), new Touched());
    assert.deepEqual([...known.unlisted], []);
  });

  test("leads to pods that it does not know while those that it knows are not there, and no longer once it is confirmed", () => {
    const state = told([cluster(false), service, endpoints("s-1", "u9", "ready")]);
    state.hear(all([cluster(true, "r1"), service, endpoints("s-1", "u1", "waiting")]), new Touched());
    const statesOf = () =>
      state.endpointsOf("shop/late").flatMap((one) => one.endpoints.map(({ uid, state: now }) => [uid, now]));
    assert.deepEqual(statesOf(), [
      ["u1", "waiting"],
      ["u9", "draining"],
    ]);
    const touched = new Touched();
    assert.ok(state.hear({ type: "changed", revision: 2, entries: [cluster(false)], removed: [] }, touched));
    assert.deepEqual([statesOf(), [...touched.services]], [[["u1", "waiting"]], ["shop/late"]]);
  });

  test("knows a pod after all that it tells of later: it is no endpoint twice", () => {
    const state = told([cluster(false), service, endpoints("s-1", "u9", "ready")]);
    state.hear(all([cluster(true, "r1"), service]), new Touched());
    const entries = [endpoints("s-2", "u9", "ready")];
    state.hear({ type: "changed", revision: 2, entries, removed: [] }, new Touched());
    assert.deepEqual(
      state.endpointsOf("shop/late").map(({ id }) => id),
      ["s-2"],
    );
  });

  test("has the addresses that it gives away meanwhile: whoever had them before leaves", () => {
    const state = told([cluster(false), ...LATE]);
    state.hear(all([cluster(true, "r1")]), new Touched());
    const entries: readonly NetworkEntry[] = [
      { ...service, id: "shop/other" } as NetworkEntry,
      { kind: "node", id: "n10", address: "192.0.2.10", podRange: "10.42.9.0/24" },
    ];
    state.hear({ type: "changed", revision: 2, entries, removed: [] }, new Touched());
    assert.deepEqual([[...state.tables.service.keys()], [...state.tables.node.keys()]], [["shop/other"], ["n10"]]);
  });
});
