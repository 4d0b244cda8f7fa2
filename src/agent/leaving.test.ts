import assert from "node:assert/strict";
import { test } from "node:test";
import { leavingBy } from "./leaving.ts";

const NOW = { monoMs: 5_000, wallMs: 1_000_000 };

test("a pod that is to go has its grace from now on, by both clocks", () => {
  assert.deepEqual(leavingBy({ graceMs: 30_000, report: true }, undefined, NOW), {
    leaving: { graceMs: 30_000, report: true, byWallMs: 1_030_000 },
    byMs: 35_000,
  });
});

test("after a restart of the agent the grace that was written down goes on", () => {
  const asked = { graceMs: 30_000, report: true, byWallMs: 1_010_000 };
  assert.equal(leavingBy(asked, undefined, NOW).byMs, 15_000);
  assert.equal(leavingBy({ ...asked, byWallMs: 900_000 }, undefined, NOW).byMs, 5_000, "over while nobody looked");
});

test("a wall clock that jumped back does not make the grace longer", () => {
  const asked = { graceMs: 30_000, report: true, byWallMs: 9_000_000 };
  assert.equal(leavingBy(asked, undefined, NOW).byMs, 35_000);
});

test("asking again may shorten what is written down, never lengthen it, and who was to hear of it still does", () => {
  const before = { graceMs: 10_000, report: true, byWallMs: 1_010_000 };
  const longer = leavingBy({ graceMs: 60_000, report: false }, before, NOW).leaving;
  assert.deepEqual(longer, { graceMs: 60_000, report: true, byWallMs: 1_010_000 });
  assert.equal(leavingBy({ graceMs: 1_000, report: false }, before, NOW).leaving.byWallMs, 1_001_000);
});
