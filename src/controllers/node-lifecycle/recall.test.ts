import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEFAULT_CLUSTER_SETTINGS } from "../../model/cluster-settings.ts";
import type { Node } from "../../model/node.ts";
import { testNode } from "../../scheduling/test-objects.ts";
import { newLease } from "./lease.ts";
import { markNode } from "./node-marks.ts";
import { RELEASED_ANNOTATION, UNHEARD_ANNOTATION, UNREACHABLE_FOR_ANNOTATION } from "./node-notes.ts";
import { recallAway, recallLoss, recallSilence } from "./recall.ts";

const WALL = Date.parse("2026-01-01T12:00:00Z");
const NOW = { nowMs: 1_000_000, wallMs: WALL, settings: DEFAULT_CLUSTER_SETTINGS };
const stored = testNode({ name: "a" });
const noted = (annotations: Record<string, string>, of: Node = stored): Node => ({
  ...of,
  metadata: { ...of.metadata, annotations },
});
/** As it is made when this control plane begins. */
const begun = () => newLease("a", NOW.nowMs, NOW.nowMs + 30_000);

describe("what a control plane recalls of a node's silence", () => {
  test("nothing noted, nothing changed", () => {
    const lease = begun();
    recallSilence(lease, stored, NOW);
    assert.deepEqual(lease, begun());
  });

  test("who was not heard before us while others were is given the rest of the grace, and never less than it takes to be unreachable", () => {
    const lease = begun();
    recallSilence(lease, noted({ [UNHEARD_ANNOTATION]: "8 s" }), NOW);
    assert.deepEqual([lease.unheardMs, lease.graceMs], [8_000, NOW.nowMs + 22_000]);
    recallSilence(lease, noted({ [UNHEARD_ANNOTATION]: "600 s" }), NOW);
    assert.equal(lease.graceMs, NOW.nowMs + 8_000);
  });

  test("whom a person gave up, and since when the brake held it, unless that lies ahead by the wall clock", () => {
    const lease = begun();
    const held = markNode(stored, "held", "silent", WALL - 20_000);
    recallSilence(lease, noted({ [RELEASED_ANNOTATION]: "2026-01-01T11:59:00Z" }, held), NOW);
    assert.deepEqual([lease.released, lease.quietMs], [true, NOW.nowMs - 20_000]);
    recallSilence(lease, markNode(stored, "held", "silent", WALL + 60_000), NOW);
    assert.equal(lease.quietMs, NOW.nowMs);
  });
});

describe("what a control plane recalls of a loss", () => {
  test("is as long ago as was counted, not as the wall clock says", () => {
    const lease = begun();
    const counted = noted({ [UNREACHABLE_FOR_ANNOTATION]: "600 s as of 2026-01-01T12:00:00Z" });
    recallLoss(lease, counted, WALL - 7_200_000, NOW);
    assert.equal(lease.loss?.sinceMs, NOW.nowMs - 600_000);
    assert.equal(lease.quietMs, NOW.nowMs - 7_200_000);
    assert.equal(lease.graceMs, NOW.nowMs + 8_000);
  });
});

describe("what a control plane recalls of a goodbye", () => {
  const away = (why: "reboot" | "agent-restart", restMs: number, sinceMs: number) => ({
    ...{ why, untilMs: WALL + restMs, asOfMs: WALL - sinceMs },
  });

  test("the rest of the time that was promised is given", () => {
    const lease = begun();
    assert.equal(recallAway(lease, away("reboot", 120_000, 60_000), NOW), true);
    assert.equal(lease.graceMs, NOW.nowMs + 120_000);
    assert.deepEqual(lease.leaving, {
      goodbye: { node: "a", session: "", why: "reboot" },
      sinceMs: NOW.nowMs - 60_000,
    });
  });

  test("a promise that is over is none", () => {
    const lease = begun();
    assert.equal(recallAway(lease, away("reboot", -1_000, 100_000), NOW), false);
    assert.deepEqual(lease, begun());
  });

  test("a wall clock that went back makes nobody be waited for for ever", () => {
    const lease = begun();
    assert.equal(recallAway(lease, away("agent-restart", 86_400_000, 0), NOW), true);
    assert.equal(lease.graceMs, NOW.nowMs + DEFAULT_CLUSTER_SETTINGS.rebootGraceMs);
  });
});
