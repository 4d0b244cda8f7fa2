import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { EndpointSlice, SlicePort } from "../../model/endpoint-slice.ts";
import { type PackedSlice, packSlices } from "./pack-slices.ts";
import type { WantedEndpoint } from "./wanted-endpoint.ts";

const HTTP: readonly SlicePort[] = [{ name: "http", port: 8080, protocol: "TCP" }];
const OTHER: readonly SlicePort[] = [{ name: "http", port: 9090, protocol: "TCP" }];

function wanted(id: number, ready = true, ports = HTTP): WantedEndpoint {
  const endpoint = {
    addresses: [`10.42.${id >> 8}.${id & 255}`],
    conditions: { ready, serving: ready, terminating: false },
    targetRef: { kind: "Pod", uid: `uid-${id}` },
  };
  return { ports, endpoint };
}

const many = (count: number, from = 0) => Array.from({ length: count }, (_, at) => wanted(from + at));

/** As the controller would have stored them. */
function stored(packed: readonly PackedSlice[]): readonly EndpointSlice[] {
  const taken = new Set(packed.map(({ slice }) => slice?.metadata.name));
  let next = 0;
  const fresh = (): string => {
    const name = `web-${next++}`;
    return taken.has(name) ? fresh() : name;
  };
  return packed.map(({ slice, ports, endpoints }) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: slice?.metadata ?? {
      name: fresh(),
      namespace: "default",
      uid: "u",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    addressType: "IPv4",
    ports,
    endpoints,
  }));
}

/** Names of slices that are not what they were. */
function changed(before: readonly EndpointSlice[], after: readonly EndpointSlice[]): readonly string[] {
  const text = (slice: EndpointSlice | undefined) => JSON.stringify(slice);
  const names = new Set([...before, ...after].map(({ metadata }) => metadata.name));
  const by = (list: readonly EndpointSlice[], name: string) => list.find(({ metadata }) => metadata.name === name);
  return [...names].filter((name) => text(by(before, name)) !== text(by(after, name)));
}

const uids = (slices: readonly EndpointSlice[]) =>
  slices.flatMap(({ endpoints }) => endpoints.map(({ targetRef }) => targetRef?.uid)).sort();

describe("slices of endpoints", () => {
  test("hold a hundred each", () => {
    assert.deepEqual(
      packSlices(many(250), []).map(({ endpoints }) => endpoints.length),
      [100, 100, 50],
    );
  });

  test("one pod that becomes unready changes one slice, and nothing moves in it", () => {
    const before = stored(packSlices(many(250), []));
    const now = many(250).with(120, wanted(120, false));
    const after = stored(packSlices(now, before));
    assert.deepEqual(changed(before, after), [before[1]?.metadata.name]);
    assert.equal(after[1]?.endpoints[20]?.targetRef?.uid, "uid-120");
  });

  test("a pod that is replaced by another changes one slice: the newcomer takes the place that was left", () => {
    const before = stored(packSlices(many(250), []));
    const after = stored(packSlices([...many(250).toSpliced(30, 1), wanted(999)], before));
    assert.deepEqual(changed(before, after), [before[0]?.metadata.name]);
  });

  test("a newcomer goes into the fullest slice that has room", () => {
    const before = stored(packSlices(many(250), [])).map((slice, at) =>
      at === 0 ? { ...slice, endpoints: slice.endpoints.slice(0, 90) } : slice,
    );
    const present = before.flatMap(({ endpoints }) => endpoints.map((endpoint) => ({ ports: HTTP, endpoint })));
    const after = stored(packSlices([...present, wanted(999)], before));
    assert.deepEqual(changed(before, after), [before[0]?.metadata.name]);
  });

  test("pods whose named port has another number have slices of their own", () => {
    const packed = packSlices([wanted(1), wanted(2, true, OTHER), wanted(3)], []);
    assert.deepEqual(
      packed.map(({ ports, endpoints }) => [ports[0]?.port, endpoints.length]),
      [
        [8080, 2],
        [9090, 1],
      ],
    );
  });

  test("without endpoints there is one slice, empty", () => {
    const before = stored(packSlices(many(150), []));
    const after = packSlices([], before);
    assert.equal(after.length, 1);
    assert.deepEqual([after[0]?.endpoints, after[0]?.slice?.metadata.name], [[], before[0]?.metadata.name]);
  });

  test("thin slices are drawn together once half full ones would do", () => {
    const before = stored(packSlices(many(300), []));
    const left = many(300).filter((_, at) => at % 3 === 0);
    assert.equal(packSlices(left, before).length, 2);
  });

  test("a port that is changed rewrites the slices that are there instead of making others", () => {
    const before = stored(packSlices(many(150), []));
    const moved = many(150).map(({ endpoint }) => ({ ports: OTHER, endpoint }));
    const after = stored(packSlices(moved, before));
    assert.deepEqual(
      after.map(({ metadata }) => metadata.name),
      before.map(({ metadata }) => metadata.name),
    );
  });

  test("a pod that has another address stays where it is, and nothing moves", () => {
    const before = stored(packSlices(many(250), []));
    const { endpoint } = wanted(120);
    const moved = { ports: HTTP, endpoint: { ...endpoint, addresses: ["10.42.99.9"] } };
    const after = stored(packSlices(many(250).with(120, moved), before));
    assert.deepEqual(changed(before, after), [before[1]?.metadata.name]);
    assert.deepEqual(after[1]?.endpoints[20]?.addresses, ["10.42.99.9"]);
  });

  test("a newcomer goes into a slice that changes anyway, though another one is fuller", () => {
    const before = stored(packSlices(many(280), []));
    const left = many(280).filter((_, at) => at !== 5 && (at < 10 || at >= 30));
    const [first, , last] = before;
    const room = stored(packSlices(left, before));
    assert.ok((room[0]?.endpoints.length ?? 0) < (last?.endpoints.length ?? 0));
    const after = stored(packSlices([...left, wanted(999)], before));
    assert.deepEqual(changed(before, after), [first?.metadata.name]);
  });

  test("of slices that do not change the fullest that has room takes the newcomer", () => {
    const part = (from: number, count: number, name: string): EndpointSlice => {
      const [slice] = stored(packSlices(many(count, from), []));
      assert.ok(slice);
      return { ...slice, metadata: { ...slice.metadata, name } };
    };
    const before = [part(0, 60, "a"), part(100, 90, "b"), part(200, 70, "c")];
    const present = before.flatMap(({ endpoints }) => endpoints.map((endpoint) => ({ ports: HTTP, endpoint })));
    const after = stored(packSlices([...present, wanted(999)], before));
    assert.deepEqual(changed(before, after), ["b"]);
  });

  test("a slice that holds too many is brought to a hundred, and the others stand in another", () => {
    const [full] = stored(packSlices(many(100), []));
    assert.ok(full);
    const swollen = { ...full, endpoints: many(130).map(({ endpoint }) => endpoint) };
    const after = packSlices(many(130), [swollen]);
    assert.deepEqual(
      after.map(({ endpoints }) => endpoints.length),
      [100, 30],
    );
    assert.equal(after[0]?.slice?.metadata.name, full.metadata.name);
  });

  test("whatever comes and goes: everybody stands once, no slice is too full, and what did not change stays where it is", () => {
    const sets = fc.array(fc.uniqueArray(fc.nat(400), { maxLength: 320 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(sets, (steps) => {
        let slices: readonly EndpointSlice[] = [];
        for (const ids of steps) {
          const all = ids.toSorted((a, b) => a - b).map((id) => wanted(id, true, id % 7 === 0 ? OTHER : HTTP));
          slices = stored(packSlices(all, slices));
          assert.deepEqual(uids(slices), ids.map((id) => `uid-${id}`).sort());
          assert.ok(slices.every(({ endpoints }) => endpoints.length <= 100));
          assert.deepEqual(changed(slices, stored(packSlices(all, slices))), [], "the same again is no change");
        }
      }),
      { numRuns: 60 },
    );
  });
});
