import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DEFAULT_CLUSTER_SETTINGS } from "../../model/cluster-settings.ts";
import { dueMs } from "./lease.ts";
import { Leases } from "./leases.ts";

const SETTINGS = DEFAULT_CLUSTER_SETTINGS;
const beat = (node: string, sequence: number) => ({ node, bootId: "b", session: "s", sequence, health: "ok" as const });

describe("leases", () => {
  test("property: a node is named when its silence is long enough, never before, and once", () => {
    const steps = fc.array(fc.record({ node: fc.nat(4), ms: fc.nat(4_000) }), { maxLength: 80 });
    fc.assert(
      fc.property(steps, (all) => {
        const leases = new Leases();
        for (let at = 0; at < 5; at++) leases.add(`n${at}`, 0, 0, SETTINGS);
        const given = new Set<string>();
        let nowMs = 0;
        for (const [sequence, { node, ms }] of all.entries()) {
          nowMs += ms;
          for (const lease of leases.expire(nowMs, SETTINGS)) {
            assert.ok(dueMs(lease, SETTINGS) <= nowMs, "not before");
            assert.ok(!given.has(lease.node), "once");
            given.add(lease.node);
          }
          for (const lease of leases.values()) {
            assert.equal(given.has(lease.node), dueMs(lease, SETTINGS) <= nowMs, `${lease.node} at ${nowMs}`);
          }
          const lease = leases.get(`n${node}`);
          if (!lease) continue;
          leases.hear(lease, beat(lease.node, sequence), nowMs, SETTINGS);
          leases.schedule(lease, SETTINGS);
          given.delete(lease.node);
        }
      }),
    );
  });

  test("of the sessions of one node the last few are remembered, so that their late frames are known", () => {
    const leases = new Leases();
    const lease = leases.add("n1", 0, 0, SETTINGS);
    for (let at = 0; at < 6; at++) leases.hear(lease, { ...beat("n1", 1), session: `s${at}` }, at, SETTINGS);
    assert.deepEqual([...lease.sessions.keys()], ["s2", "s3", "s4", "s5"]);
    assert.equal(leases.hear(lease, { ...beat("n1", 1), session: "s4" }, 10, SETTINGS), "stale");
    assert.equal(lease.heardMs, 5);
  });
});
