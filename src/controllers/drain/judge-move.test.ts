import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withDisruption } from "../../model/disruption.ts";
import type { Pod } from "../../model/pod.ts";
import { testPod } from "../../scheduling/test-objects.ts";
import { rfc3339 } from "../../seams/clock.ts";
import { judgeMove } from "./judge-move.ts";

const NOW = Date.parse("2026-01-01T00:10:00Z");

function pod(name: string, readyForSeconds: number | undefined, madeBeforeSeconds = 300): Pod {
  const given = testPod({ name, owner: "web" });
  const since = rfc3339(NOW - (readyForSeconds ?? 0) * 1000);
  const status = readyForSeconds === undefined ? "False" : "True";
  return {
    ...given,
    metadata: { ...given.metadata, creationTimestamp: rfc3339(NOW - madeBeforeSeconds * 1000) },
    spec: { ...given.spec, nodeName: "n2" },
    status: { phase: "Running", conditions: [{ type: "Ready", status, lastTransitionTime: since }] },
  };
}

const marked = (one: Pod) => withDisruption(one, "Drain", "", NOW);
const lost = (one: Pod) => withDisruption(one, "NodeUnreachable", "", NOW);
const going = (one: Pod): Pod => ({ ...one, metadata: { ...one.metadata, deletionTimestamp: rfc3339(NOW) } });
const old = marked(pod("old", 200));

describe("the old copy", () => {
  for (const [why, moving, peers, wanted, readyBefore, reason] of [
    ["stops when its successor has stayed ready", old, [pod("new", 5, 9)], 1, 1, undefined],
    ["waits until one is made", old, [], 1, 1, /not made yet/],
    [
      "waits for one also when it is not ready any more itself",
      marked(pod("old", undefined)),
      [],
      1,
      1,
      /not made yet/,
    ],
    [
      "stops at once when it is not ready any more and another is on its way",
      marked(pod("old", undefined)),
      [pod("new", undefined, 1)],
      1,
      1,
      undefined,
    ],
    [
      "does not take one for a successor that has just become ready",
      old,
      [pod("new", 1, 9)],
      1,
      1,
      /watched for a moment/,
    ],
    [
      "counts others that are on the move and still run",
      old,
      [marked(pod("o2", 90)), pod("new", 5, 9), pod("n2", undefined, 3)],
      2,
      2,
      undefined,
    ],
    [
      "does not count those that were lost with their node",
      old,
      [lost(pod("o2", 90)), pod("new", 5, 9), pod("n2", undefined, 3)],
      2,
      2,
      /n2 on n2 is not ready/,
    ],
    [
      "does not count those that were asked to stop",
      old,
      [going(pod("o2", 90)), pod("new", 5, 9), pod("n2", undefined, 3)],
      2,
      2,
      /not ready/,
    ],
    ["asks for no more than were ready before", old, [pod("new", 5, 9), pod("sick", undefined)], 2, 1, undefined],
    ["asks for no more than are wanted now", old, [pod("new", 5, 9)], 1, 3, undefined],
    [
      "judges by what is new where nobody says how many are wanted",
      old,
      [pod("other", 100)],
      undefined,
      1,
      /not made yet/,
    ],
  ] as const) {
    test(why, () => {
      const copies = wanted === undefined ? undefined : ({ wanted, moves: "start first" } as const);
      const verdict = judgeMove({ pod: moving, peers, copies, readyBefore, sinceMs: NOW - 10_000, nowMs: NOW });
      assert.equal(verdict.stop, reason === undefined);
      if (!verdict.stop) assert.match(verdict.reason, reason ?? /never/);
    });
  }
});
