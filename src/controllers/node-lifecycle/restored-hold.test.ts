import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testNode } from "../../scheduling/test-objects.ts";
import { type Lease, newLease } from "./lease.ts";
import { markNode } from "./node-marks.ts";
import { RELEASED_ANNOTATION } from "./node-notes.ts";
import { restoredHold } from "./restored-hold.ts";

const WALL = Date.parse("2026-01-01T12:00:00Z");
const heldAt = (name: string, ms: number) => markNode(testNode({ name }), "held", "silent", ms);
const leaseOf = (node: string, of: Partial<Lease> = {}): Lease => ({ ...newLease(node, 0, 0), hasLived: true, ...of });

describe("what the brake before held", () => {
  test("is nothing when no node says that it was held, or only ones that a person gave up", () => {
    assert.equal(restoredHold([testNode({ name: "a" })], [leaseOf("a")]), undefined);
    const held = heldAt("a", WALL);
    const annotations = { [RELEASED_ANNOTATION]: "2026-01-01T12:00:00Z" };
    const released = { ...held, metadata: { ...held.metadata, annotations } };
    assert.equal(restoredHold([released], [leaseOf("a", { released: true })]), undefined);
  });

  test("is held since the first, with those that were given up counted as silent", () => {
    const stored = [heldAt("a", WALL + 5_000), heldAt("b", WALL), testNode({ name: "c" }), testNode({ name: "d" })];
    const loss = { sinceMs: 0 };
    const all = [leaseOf("a"), leaseOf("b"), leaseOf("c", { released: true, loss }), leaseOf("d")];
    const hold = restoredHold(stored, all);
    assert.deepEqual([...(hold?.held ?? [])].sort(), ["a", "b"]);
    assert.deepEqual([...(hold?.gone ?? [])], ["c"]);
    assert.equal(hold?.sinceMs, WALL);
    assert.deepEqual(hold?.now, [{ zone: undefined, members: ["a", "b", "c", "d"], silent: ["a", "b", "c"] }]);
  });

  test("who was lost outside of it, or never lived, is not one of its nodes", () => {
    const all = [leaseOf("a"), leaseOf("b", { loss: { sinceMs: 0 } }), leaseOf("c", { hasLived: false })];
    assert.deepEqual(restoredHold([heldAt("a", WALL)], all)?.now[0]?.members, ["a"]);
  });
});
