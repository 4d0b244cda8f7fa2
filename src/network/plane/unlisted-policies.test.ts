import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClusterEntry, NetworkEntry, NetworkNews, PeersEntry, PolicyEntry } from "../../model/network.ts";
import { SHELVES, shelfOf } from "../../model/network-shelves.ts";
import { NetworkState } from "./network-state.ts";
import { Touched } from "./touched.ts";
import { unlistedWords } from "./unlisted-policies.ts";

const cluster = (isRestored: boolean): ClusterEntry => ({
  ...{ kind: "cluster", id: "cluster", podRange: "10.42.0.0/16", serviceRange: "10.96.0.0/12" },
  ...{ domain: "cluster.local", mode: "auto" },
  ...(isRestored ? { isRestored: true } : {}),
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
const KEPT = ["policy shop/old", "policy shop/late", "peers front n1", "peers back n1"];

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
});
