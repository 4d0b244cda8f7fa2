import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DrainState, NodeDrain, NodeDrainStatus } from "../model/node-drain.ts";
import { drainReport } from "./drain-report.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString().replace(".000", "");

function drain(
  phase: NodeDrainStatus["phase"],
  rows: readonly (readonly [DrainState, number])[],
  {
    blocked = [],
    deadline,
    ...more
  }: {
    readonly blocked?: readonly number[];
    readonly note?: string;
    readonly endedAt?: string;
    readonly deadline?: string;
  } = {},
): NodeDrain {
  const pods = rows.map(([state, since], n) => ({
    ...{ key: `default/p${n}`, uid: `${n}`, workload: "web", reason: "", state },
    since: at(since),
    ...(blocked.includes(n) ? { blocked: true as const } : {}),
    ...(state === "deleted" ? { needsForce: true as const } : {}),
  }));
  const metadata = { name: "n1", uid: "u", resourceVersion: "1", generation: 1, creationTimestamp: at(0) };
  return {
    apiVersion: "styrmann.dev/v1",
    kind: "NodeDrain",
    metadata,
    spec: { by: "alice", force: false, atOnce: 5, ...(deadline === undefined ? {} : { deadline }) },
    status: { phase, startedAt: at(0), pods, ...more },
  };
}

const moved = (...seconds: number[]) => seconds.map((second) => ["moved", second] as const);
const waiting = (count: number) => Array.from({ length: count }, () => ["waiting", 0] as const);

describe("how a drain fares:", () => {
  for (const [why, given, summary] of [
    [
      "what is left takes as long as what is done took",
      drain("draining", [...moved(8, 16, 24, 32, 40, 48, 56), ...waiting(5)]),
      "7 of 12 moved, about 40 s left",
    ],
    ["minutes are said in minutes", drain("draining", [...moved(60), ...waiting(4)]), "1 of 5 moved, about 4 min left"],
    ["before the first has moved nobody knows", drain("draining", waiting(3)), "0 of 3 moved"],
    [
      "while nothing may move, no time is named",
      drain("draining", [...moved(5), ...waiting(3)], { note: "n1 is silent" }),
      "1 of 4 moved",
    ],
    [
      "what is stuck is not waited for",
      drain("blocked", [...moved(5), ["stuck", 1]]),
      "1 of 2 moved, 1 has nowhere to go",
    ],
    ["done", drain("drained", moved(8, 41), { endedAt: at(41) }), "all 2 moved in 41s"],
    [
      "what stays is counted apart",
      drain("drained", [...moved(9), ["stays", 0], ["stays", 0]], { endedAt: at(9) }),
      "1 moved in 9s; 2 stay",
    ],
    [
      "what was deleted has not moved",
      drain("drained", [...moved(9), ["deleted", 12]], { endedAt: at(12) }),
      "1 moved, 1 deleted in 12s",
    ],
    [
      "what is held up is not waited for",
      drain("blocked", [...moved(5), ["starting", 6]], { blocked: [1] }),
      "1 of 2 moved, 1 waits for successors that are not ready",
    ],
    [
      "when it ends is said",
      drain("blocked", [["stuck", 1]], { deadline: at(60 + 590) }),
      "0 of 1 moved, 1 has nowhere to go, what is left is stopped in 9m50s",
    ],
    [
      "also when the time has come",
      drain("draining", [["stopping", 1]], { deadline: at(60) }),
      "0 of 1 moved, what is left is stopped now",
    ],
    ["done before its time", drain("drained", moved(8), { endedAt: at(8), deadline: at(90) }), "1 moved in 8s"],
    ["nothing there", drain("drained", [], { endedAt: at(0) }), "nothing had to move"],
  ] as const) {
    test(`${why}: ${summary}`, () => assert.equal(drainReport(given, START + 60_000).summary, summary));
  }
});
