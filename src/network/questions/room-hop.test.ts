import assert from "node:assert/strict";
import { test } from "node:test";
import { roomHop } from "./room-hop.ts";

test("a trace stops at a host whose table of connections is full, doubts one that is almost, and passes one with room", () => {
  const hopAt = (count: number) =>
    roomHop("h3", [{ facts: {} }, { facts: { connections: count, "most connections": 1000 } }]);
  assert.deepEqual([hopAt(1000)?.at, hopAt(1000)?.what, hopAt(1000)?.isOk], ["h3", "connections", false]);
  assert.match(hopAt(1000)?.words ?? "", /is full \(1,000 of 1,000\)/);
  assert.match(hopAt(1000)?.advice ?? "", /^sysctl -w net\.netfilter\.nf_conntrack_max=2000/);
  assert.equal(hopAt(950)?.isOk, undefined);
  assert.match(hopAt(950)?.words ?? "", /almost full \(950 of 1,000\)/);
  assert.equal(hopAt(100), undefined);
  assert.equal(roomHop("h3", [{ facts: { nodes: 3 } }, {}]), undefined);
});
