import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testNode } from "../../scheduling/test-objects.ts";
import { lostSinceMs, markHealth, markNode, troubleOf } from "./node-marks.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const LATER = NOW + 60_000;
const ready = { type: "Ready", status: "True", reason: "AgentReady" } as const;
const plain = testNode({ name: "n1", taints: [{ key: "dedicated", effect: "NoSchedule" }] });
const node = { ...plain, status: { ...plain.status, conditions: [ready] } };

describe("what a node's object says of its lease", () => {
  test("lost and back leaves it as it was, with the taints of others", () => {
    const lost = markNode(node, "lost", "silent for 8 s", NOW);
    assert.equal(lost.spec.taints?.length, 3);
    const back = markNode(lost, "up", "", LATER);
    assert.deepEqual(back.spec.taints, node.spec.taints);
    assert.equal(back.status.conditions[0]?.status, "True");
  });

  test("saying it again changes nothing, and later words do not either", () => {
    const lost = markNode(node, "lost", "silent for 8 s", NOW);
    assert.equal(markNode(lost, "lost", "silent for 70 s", LATER), lost);
    assert.equal(markNode(node, "up", "", NOW), node);
    assert.deepEqual(lostSinceMs(lost), NOW);
  });

  test("from held to lost only the reason and the taints are new: it was not ready before", () => {
    const held = markNode(node, "held", "silent", NOW);
    assert.deepEqual(held.spec, node.spec);
    const lost = markNode(held, "lost", "silent", LATER);
    assert.equal(lost.status.conditions[0]?.lastTransitionTime, "2026-01-01T12:00:00Z");
    assert.equal(lostSinceMs(lost), LATER);
  });

  test("a Ready condition that its agent has made False is not the lease's to change", () => {
    const unready = { ...node, status: { ...node.status, conditions: [{ ...ready, status: "False" as const }] } };
    assert.equal(markNode(unready, "up", "", NOW), unready);
  });

  test("health: written on change of the word only, and not at all while it never was amiss", () => {
    assert.equal(markHealth(node, undefined, NOW), node);
    const stalled = markHealth(node, troubleOf("io-stalled", "a write takes 7 s"), NOW);
    assert.equal(markHealth(stalled, troubleOf("io-stalled", "a write takes 9 s"), LATER), stalled);
    const silent = markHealth(stalled, troubleOf("engine-silent", ""), LATER);
    assert.deepEqual(silent.status.conditions[1], {
      type: "Healthy",
      status: "False",
      reason: "EngineSilent",
      message: "EngineSilent",
      lastTransitionTime: "2026-01-01T12:00:00Z",
    });
  });
});
