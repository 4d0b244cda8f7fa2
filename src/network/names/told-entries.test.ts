import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { NetworkEntry, NetworkEntryKind } from "../../model/network.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { ToldEntries } from "./told-entries.ts";
import { type NamedEntry, Zones } from "./zones/zones.ts";

const CLUSTER: NetworkEntry = {
  ...{ kind: "cluster", id: "cluster", podRange: "10.42.0.0/16", serviceRange: "10.96.0.0/12" },
  ...{ domain: "cluster.local", mode: "auto" },
};
const ids = fc.constantFrom("a", "b", "c");
const octet = fc.integer({ min: 1, max: 9 });

const entry: fc.Arbitrary<NetworkEntry> = fc.oneof(
  fc.record({ id: ids, at: octet, isHeadless: fc.boolean() }).map(
    ({ id, at, isHeadless }): NetworkEntry => ({
      ...{ kind: "service", id: `d/${id}`, namespace: "d", name: id, addresses: isHeadless ? [] : [`10.96.0.${at}`] },
      ...{ ports: [], externalTraffic: "cluster", internalTraffic: "cluster" },
    }),
  ),
  fc.record({ id: ids, of: ids, at: octet }).map(
    ({ id, of, at }): NetworkEntry => ({
      ...{ kind: "endpoints", id: `slice-${id}`, service: `d/${of}`, ports: [] },
      endpoints: [{ address: `10.42.0.${at}`, state: at % 2 === 0 ? "ready" : "waiting" }],
    }),
  ),
  fc.record({ id: ids, at: octet }).map(
    ({ id, at }): NetworkEntry => ({
      ...{ kind: "names", id },
      records: [{ type: "A", name: `${id}.mesos`, address: `10.42.1.${at}` }],
    }),
  ),
  fc
    .record({ id: ids, at: octet })
    .map(({ id, at }): NetworkEntry => ({ kind: "node", id, address: `10.0.0.${at}`, podRange: `10.42.${at}.0/24` })),
);
const removal = fc
  .constantFrom<NetworkEntryKind>("service", "endpoints", "names", "node")
  .chain((kind) =>
    ids.map((id) => ({ kind, id: { service: `d/${id}`, endpoints: `slice-${id}` }[kind as string] ?? id })),
  );
const news = fc.record({ entries: fc.array(entry, { maxLength: 4 }), removed: fc.array(removal, { maxLength: 3 }) });

/** Everything that a table answers for these few names. */
function answers(zones: Zones): string {
  const names = ["a", "b", "c"].flatMap((id) => [`${id}.d.svc.cluster.local`, `${id}.mesos`]);
  const own = [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((n) => names.map((name) => `10-42-0-${n}.${name}`));
  const said = [...names, ...own, "slave.mesos", "d.svc.cluster.local"].map((name) => [
    name,
    zones.table
      .get(name)
      ?.map((data) => JSON.stringify(data))
      .toSorted(),
  ]);
  return JSON.stringify([zones.table.size, said]);
}

function put(zones: Zones, entries: readonly NamedEntry[]): Zones {
  for (const each of entries) zones.put(each);
  return zones;
}

describe("what a server of names is told", () => {
  test("change by change is the same as everything at once, whatever the news", () => {
    fc.assert(
      fc.property(fc.array(news, { maxLength: 12 }), (all) => {
        const [state, told, touched] = [new NetworkState("a"), new ToldEntries(), new Touched()];
        state.hear({ type: "all", revision: 1, entries: [CLUSTER] }, touched);
        const zones = put(new Zones("10.42.0.1"), told.all(state));
        for (const { entries, removed } of all) {
          const changed = new Touched();
          state.hear({ type: "changed", revision: 2, entries, removed }, changed);
          const difference = told.difference(state, changed);
          put(zones, difference.entries);
          for (const { kind, id } of difference.removed) zones.remove(kind, id);
        }
        const anew = put(new Zones("10.42.0.1"), new ToldEntries().all(state));
        assert.equal(answers(zones), answers(anew));
      }),
      { numRuns: 300 },
    );
  });

  test("what did not change is not told again", () => {
    const [state, told] = [new NetworkState("a"), new ToldEntries()];
    const endpoints = (n: number): NetworkEntry => ({
      ...{ kind: "endpoints", id: `s${n}`, service: "d/a", ports: [] },
      endpoints: [{ address: "10.42.0.2", state: "ready" }],
    });
    state.hear({ type: "all", revision: 1, entries: [CLUSTER, ...[1, 2, 3].map(endpoints)] }, new Touched());
    told.all(state);
    const touched = new Touched();
    state.hear({ type: "changed", revision: 2, entries: [endpoints(2)], removed: [] }, touched);
    assert.deepEqual(
      told.difference(state, touched).entries.map(({ id }) => id),
      ["s2"],
    );
  });

  test("when all is said again, only what differs is told, and what is no longer said is taken away", () => {
    const [state, told, touched] = [new NetworkState("a"), new ToldEntries(), new Touched()];
    const names = (id: string, address: string): NetworkEntry => ({
      ...{ kind: "names", id },
      records: [{ type: "A", name: `${id}.mesos`, address }],
    });
    const before = [CLUSTER, names("a", "10.42.0.1"), names("b", "10.42.0.2"), names("c", "10.42.0.3")];
    state.hear({ type: "all", revision: 1, entries: before }, new Touched());
    told.all(state);
    const after = structuredClone([CLUSTER, names("a", "10.42.0.1"), names("b", "10.42.0.9"), names("d", "10.42.0.4")]);
    state.hear({ type: "all", revision: 1, entries: after }, touched);
    const { entries, removed } = told.difference(state, touched);
    assert.deepEqual(entries.map(({ id }) => id).sort(), ["b", "d"]);
    assert.deepEqual(removed, [{ kind: "names", id: "c" }]);
    assert.deepEqual(told.difference(state, touched), { entries: [], removed: [] });
  });

  test("when all is said again, each entry is compared once", () => {
    const [state, told, touched] = [new NetworkState("a"), new ToldEntries(), new Touched()];
    let reads = 0;
    const names = (): NetworkEntry => {
      const entry = { kind: "names", id: "a" } as const;
      const records = [{ type: "A", name: "a.mesos", address: "10.42.0.1" }] as const;
      return Object.defineProperty({ ...entry, records }, "records", {
        enumerable: true,
        get: () => {
          reads++;
          return records;
        },
      });
    };
    state.hear({ type: "all", revision: 1, entries: [CLUSTER, names()] }, new Touched());
    told.all(state);
    state.hear({ type: "all", revision: 2, entries: [CLUSTER, names()] }, touched);
    reads = 0;
    told.difference(state, touched);
    assert.equal(reads, 2, "of the one that was told, and of the one that is said again");
    told.difference(state, touched);
    assert.equal(reads, 2, "the same object is not compared");
  });
});
