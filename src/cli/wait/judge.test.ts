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
  return {
    ...base,
    status,
    since: "2024-05-01T09:00:00Z",
    what: "",
    canScale: false,
    object: { kind: "Unit", key: "a.service" },
    ...more,
  };
}

const EPOCH_MS = Date.parse("2024-05-01T10:00:00Z");

/** Running since that many seconds after the beginning; rows have whole seconds. */
function runs(sinceSeconds: number): Workload {
  const since = `${new Date(EPOCH_MS + sinceSeconds * 1000).toISOString().slice(0, 19)}Z`;
  return row("running", { ready: 1, since });
}

/** What is said of rows that come at these times, in seconds. */
function verdicts(
  steps: readonly (readonly [number, Workload | undefined])[],
  judge = new Judge([TARGET]),
): readonly Verdict[] {
  return steps.map(
    ([at, seen]) => judge.judge(seen ? [seen] : [], at * 1000, EPOCH_MS + at * 1000)[0]?.verdict ?? "waiting",
  );
}

describe("waiting:", () => {
  const cases: {
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
  cases.push(
    {
      why: "what has just been started is no success before it has run for a while",
      steps: [
        [0.3, runs(0)],
        [1, runs(0)],
        [3, row("failed", { error: "it exited with code 1" })],
        [6, row("failed", { error: "it exited with code 1" })],
      ],
      said: ["waiting", "waiting", "waiting", "failed"],
    },
    {
      why: "what has run for a while by its own account is not waited for",
      steps: [
        [5.2, runs(0)],
        [5.8, runs(0)],
      ],
      said: ["waiting", "done"],
    },
    {
      why: "a node whose clock is ahead is believed by what was seen",
      steps: [
        [0, runs(100)],
        [3.9, runs(100)],
        [4, runs(100)],
      ],
      said: ["waiting", "waiting", "done"],
    },
    {
      why: "crashing again and again, running for a moment in between",
      steps: [
        ...[0, 3, 6, 9, 12, 15, 18].flatMap((at): readonly (readonly [number, Workload])[] => [
          [at, row("restarting", { error: "exited with 1" })],
          [at + 0.2, row("starting")],
          [at + 1, runs(at + 1)],
        ]),
        [21, row("restarting", { error: "exited with 1" })],
      ],
      said: [...Array.from({ length: 21 }, () => "waiting" as const), "failed"],
    },
  );
  for (const { why, steps, said } of cases) test(why, () => assert.deepEqual(verdicts(steps), said));

  test("what runs when the time is up is well enough", () => {
    const judge = new Judge([TARGET]);
    assert.equal(judge.judge([runs(0)], 500, EPOCH_MS + 500, true)[0]?.verdict, "done");
  });

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

  describe("copies on lost nodes are not waited for:", () => {
    const copy = (status: Workload["status"]) => ({ status }) as Workload["pods"][number];

    test("what took their place is enough", () => {
      const both = row("running", { ready: 1, since: "2024-05-01T09:00:00Z", pods: [copy("lost"), copy("running")] });
      assert.deepEqual(
        verdicts([
          [0, both],
          [1, both],
        ]),
        ["waiting", "done"],
      );
    });

    test("a surplus that can be stopped is", () => {
      const two = row("running", { ready: 1, pods: [copy("stopping"), copy("running")] });
      assert.deepEqual(
        verdicts([
          [0, two],
          [1, two],
        ]),
        ["waiting", "waiting"],
      );
    });

    test("of what is deleted, only they are left", () => {
      const left = row("stopping", { desired: 0, pods: [copy("lost")] });
      const more = row("stopping", { desired: 0, pods: [copy("lost"), copy("stopping")] });
      const judge = new Judge([TARGET], "gone");
      assert.deepEqual(
        verdicts(
          [
            [0, more],
            [5, more],
            [6, left],
            [11, left],
          ],
          judge,
        ),
        ["waiting", "waiting", "waiting", "done"],
      );
    });
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
