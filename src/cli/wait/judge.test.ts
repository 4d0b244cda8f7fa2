import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Workload } from "../../model/workload.ts";
import { Judge, type Verdict } from "./judge.ts";

const TARGET = { dialect: "fleet", name: "a.service" };

function row(status: Workload["status"], more: Partial<Workload> = {}): Workload {
  const base = {
    dialect: "fleet",
    kind: "Unit",
    name: "a.service",
    desired: 1,
    ready: 0,
    nodes: [],
    urls: [],
    pods: [],
  };
  return { ...base, status, since: "", what: "", canScale: false, object: { kind: "Unit", key: "a.service" }, ...more };
}

/** What is said of rows that come at these times, in seconds. */
function verdicts(
  steps: readonly (readonly [number, Workload | undefined])[],
  judge = new Judge([TARGET]),
): readonly Verdict[] {
  return steps.map(([at, seen]) => judge.judge(seen ? [seen] : [], at * 1000)[0]?.verdict ?? "waiting");
}

describe("waiting:", () => {
  const cases: readonly {
    why: string;
    steps: readonly (readonly [number, Workload | undefined])[];
    said: readonly Verdict[];
  }[] = [
    {
      why: "done once it has run for a moment",
      steps: [
        [0, undefined],
        [1, row("starting")],
        [2, row("running")],
        [2.2, row("running")],
        [2.7, row("running")],
      ],
      said: ["waiting", "waiting", "waiting", "waiting", "done"],
    },
    {
      why: "rows that still show what was before a change do not count",
      steps: [
        [0, row("running")],
        [0.3, row("starting")],
        [0.8, row("running")],
        [1.5, row("running")],
      ],
      said: ["waiting", "waiting", "waiting", "done"],
    },
    {
      why: "failed for good",
      steps: [
        [0, row("failed")],
        [2.9, row("failed")],
        [3, row("failed")],
      ],
      said: ["waiting", "waiting", "failed"],
    },
    {
      why: "crashing again and again",
      steps: [
        [0, row("restarting", { error: "exited with 1" })],
        [19, row("restarting", { error: "exited with 1" })],
        [20, row("restarting", { error: "exited with 1" })],
      ],
      said: ["waiting", "waiting", "failed"],
    },
    {
      why: "no node takes it",
      steps: [
        [0, row("unplaced")],
        [14, row("unplaced")],
        [15, row("unplaced")],
      ],
      said: ["waiting", "waiting", "not placed"],
    },
    {
      why: "trouble that passes is no failure",
      steps: [
        [0, row("restarting", { error: "x" })],
        [15, row("running")],
        [16, row("running")],
      ],
      said: ["waiting", "waiting", "done"],
    },
  ];
  for (const { why, steps, said } of cases) test(why, () => assert.deepEqual(verdicts(steps), said));

  test("for something to go: done when no row is left", () => {
    assert.deepEqual(
      verdicts(
        [
          [0, row("stopping")],
          [1, undefined],
          [2, undefined],
        ],
        new Judge([TARGET], "gone"),
      ),
      ["waiting", "waiting", "done"],
    );
  });

  test("a scaled workload is not judged by rows from before", () => {
    const judge = new Judge([{ ...TARGET, copies: 3 }]);
    const three = row("running", { desired: 3, ready: 3 });
    assert.deepEqual(
      verdicts(
        [
          [0, row("running")],
          [5, row("running")],
          [6, three],
          [7, three],
        ],
        judge,
      ),
      ["waiting", "waiting", "waiting", "done"],
    );
  });
});
