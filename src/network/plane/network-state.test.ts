import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { EndpointEntry, EndpointsEntry, NetworkNews } from "../../model/network.ts";
import { NetworkState } from "./network-state.ts";
import { isLedTo } from "./pod-traces.ts";
import { Touched } from "./touched.ts";

const UIDS = ["u1", "u2", "u3"];
const endpoint = fc.record({
  address: fc.constantFrom("10.42.0.2", "10.42.0.3"),
  state: fc.constantFrom<EndpointEntry["state"]>("ready", "draining", "waiting"),
  node: fc.constantFrom("here", "there"),
  uid: fc.constantFrom(...UIDS),
});
const slice: fc.Arbitrary<EndpointsEntry> = fc.record({
  kind: fc.constant("endpoints" as const),
  id: fc.constantFrom("s1", "s2", "s3"),
  service: fc.constantFrom("a", "b"),
  ports: fc.constant([]),
  endpoints: fc.array(endpoint, { maxLength: 4 }),
});
const news: fc.Arbitrary<Exclude<NetworkNews, { type: "settled" }>> = fc.oneof(
  fc.record({
    type: fc.constant("all" as const),
    revision: fc.nat(),
    entries: fc.uniqueArray(slice, { selector: (one) => one.id }),
  }),
  fc.record({
    type: fc.constant("changed" as const),
    revision: fc.nat(),
    entries: fc.uniqueArray(slice, { selector: (one) => one.id }),
    removed: fc.array(fc.record({ kind: fc.constant("endpoints" as const), id: fc.constantFrom("s1", "s2", "s3") })),
  }),
);

describe("a node that is lost", () => {
  const at = (id: string, node: string): EndpointsEntry => ({
    ...{ kind: "endpoints", id: `${id}-1`, service: id, ports: [] },
    endpoints: [{ address: "10.42.0.2", state: "ready", node }],
  });
  const told = () => {
    const state = new NetworkState("here");
    const nodes = ["n1", "n2"].map((id) => ({ kind: "node", id, address: "192.0.2.1", isSilent: true }) as const);
    const entries = [...nodes, at("a", "n1"), at("b", "n2"), at("c", "n1")];
    state.hear({ type: "all", revision: 1, entries }, new Touched());
    return state;
  };

  test("is looked at again by whoever leads to it, and by nobody else; and when it is found", () => {
    const state = told();
    for (const isLost of [true, false]) {
      const touched = new Touched();
      state.setLost("n1", isLost, touched);
      assert.deepEqual([...touched.services].sort(), ["a", "c"], `lost: ${isLost}`);
      assert.deepEqual([...touched.nodes], ["n1"]);
    }
  });

  test("is found when it is heard of again, and that is news for its services", () => {
    const state = told();
    state.setLost("n1", true, new Touched());
    const touched = new Touched();
    const heard = { kind: "node", id: "n1", address: "192.0.2.1" } as const;
    state.hear({ type: "changed", revision: 2, entries: [heard], removed: [] }, touched);
    assert.deepEqual([...state.lostNodes], []);
    assert.deepEqual([...touched.services].sort(), ["a", "c"]);
  });

  test("is none any more once it is no node of the cluster", () => {
    for (const isAll of [false, true]) {
      const state = told();
      state.setLost("n1", true, new Touched());
      const news = isAll
        ? ({ type: "all", revision: 2, entries: [] } as const)
        : ({ type: "changed", revision: 2, entries: [], removed: [{ kind: "node", id: "n1" }] } as const);
      state.hear(news, new Touched());
      assert.deepEqual([...state.lostNodes], []);
    }
  });
});

describe("whether services lead to a pod of this node", () => {
  test("is what its endpoints say, after any news", () => {
    fc.assert(
      fc.property(fc.array(news, { maxLength: 8 }), (all) => {
        const state = new NetworkState("here");
        for (const one of all) state.hear(one, new Touched());
        const led = [...state.tables.endpoints.values()].flatMap(({ endpoints }) =>
          endpoints.filter((one) => one.node === "here" && one.state === "ready").map(({ uid }) => uid),
        );
        for (const uid of UIDS) assert.equal(isLedTo(state, uid), led.includes(uid), uid);
      }),
    );
  });

  test("costs one look, however many services the node has", () => {
    const state = new NetworkState("here");
    const endpoints = [{ address: "10.42.0.2", state: "ready", node: "here", uid: "u1" }] as const;
    const entries = Array.from(
      { length: 2_000 },
      (_, at): EndpointsEntry => ({ kind: "endpoints", id: `e${at}`, service: `s${at}`, ports: [], endpoints }),
    );
    state.hear({ type: "all", revision: 1, entries }, new Touched());
    const before = process.cpuUsage();
    for (let time = 0; time < 10_000; time++) isLedTo(state, "nobody");
    // With a walk over the services it was 2 ms for each.
    assert.ok(process.cpuUsage(before).user < 1_000_000, "10,000 questions take less than a second");
  });
});
