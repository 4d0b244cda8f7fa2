import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServerRow, StatusReport } from "../model/reports.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { renderStatus } from "./render-status.ts";
import { nextSteps, problemsOf } from "./status-problems.ts";

const WELL: StatusReport = {
  version: "0.2.0",
  node: "a",
  startedAt: "2025-12-31T23:00:00Z",
  store: { revision: 7, objects: { Pod: 2, Node: 1 } },
  nodes: { ready: 1, total: 1, states: { ready: 1 }, troubles: [] },
  pods: { Running: 2 },
  workloads: { running: 1 },
  ...{ lagMs: 3, memoryBytes: 1024, dialects: ["fleet"] },
};
const screen = { colors: false, clock: new ManualClock(), asTyped: (text: string) => text };
const server = (name: string, state: ServerRow["state"]) => ({
  name,
  state,
  url: `https://${name}:1`,
  version: "0.2.0",
});

describe("styr status", () => {
  test("of a cluster that is well fits on a few lines, and has nothing to say of what to do", () => {
    const text = renderStatus(WELL, screen);
    assert.equal(text.split("\n").length, 9);
    assert.doesNotMatch(text, /next|servers/);
    assert.deepEqual(problemsOf(WELL), []);
  });

  test("names the servers, and who leads", () => {
    const servers = [
      { ...server("a", "leads"), since: "2025-12-31T23:00:00Z" },
      { ...server("b", "follows"), behind: 3 },
    ];
    const text = renderStatus({ ...WELL, servers, store: { ...WELL.store, place: "etcd x:1" } }, screen);
    assert.match(text, /servers {5}a leads for 60m, https:\/\/a:1/);
    assert.match(text, /b follows 3 revisions behind/);
    assert.match(text, /store {7}writes, etcd x:1/);
  });

  const wrong: readonly (readonly [string, Partial<StatusReport>, RegExp, string | undefined])[] = [
    [
      "a store that refuses",
      { store: { ...WELL.store, refusal: "disk full" } },
      /refuses writes: disk full/,
      undefined,
    ],
    [
      "nobody who leads",
      { servers: [server("a", "follows"), server("b", "silent")] },
      /no server leads/,
      "styr status",
    ],
    [
      "a silent server",
      { servers: [server("a", "leads"), server("b", "silent")] },
      /server b is silent/,
      "styr status",
    ],
    [
      "a member of the store that does not answer",
      { store: { ...WELL.store, trouble: "2 of 3 members of etcd answer; http://h2:2379: connection refused" } },
      /http:\/\/h2:2379: connection refused/,
      undefined,
    ],
    ["no node", { nodes: { ...WELL.nodes, ready: 0, total: 0 } }, /no node/, "styr token create --role agent"],
    [
      "a node in trouble",
      { nodes: { ...WELL.nodes, troubles: ["n1: docker: no answer"] } },
      /docker: no answer/,
      "styr nodes",
    ],
    [
      "a workload",
      { troubled: [{ name: "web", status: "failed", error: "exit 1" }] },
      /web is failed: exit 1/,
      "styr why web",
    ],
    ["pods that wait", { waiting: [{ words: "no room", pods: 2 }] }, /2 pods wait: no room/, "styr ps"],
    [
      "a certificate",
      { certificates: [{ name: "server", endsAt: "2026-01-02T00:00:00Z" }] },
      /certificate server/,
      "styr ca status",
    ],
    ["a late event loop", { lagMs: 900 }, /late by 900 ms/, "styr top"],
  ];
  for (const [what, more, words, next] of wrong) {
    test(`--check tells of ${what}${next === undefined ? "" : `, and next is ${next}`}`, () => {
      const problems = problemsOf({ ...WELL, ...more });
      assert.match(problems.map((problem) => problem.words).join("\n"), words);
      assert.equal(nextSteps(problems)[0], next);
      assert.match(renderStatus({ ...WELL, ...more }, screen), next === undefined ? /refuse[sd]/ : /^next/m);
    });
  }

  test("while none leads it does not send whoever reads it back to itself, and says of nodes what it does not know", () => {
    const nodes = { ready: 0, total: 5, states: { unknown: 5 }, troubles: [] };
    const more = { servers: [server("a", "follows"), server("b", "unknown")], nodes };
    const text = renderStatus({ ...WELL, ...more }, screen);
    assert.match(text, /b not heard yet/);
    assert.match(text, /nodes {7}5; how they fare is not known while no server leads/);
    assert.doesNotMatch(text, /styr status|silent/);
    assert.match(text, /^next.*styr support-bundle/m);
    assert.doesNotMatch(
      problemsOf({ ...WELL, ...more })
        .map(({ words }) => words)
        .join("\n"),
      /not ready/,
    );
  });

  test("what is said of one thing is said once", () => {
    const more = {
      waiting: [{ words: "no room", pods: 2 }],
      troubled: [{ name: "web", status: "unplaced", error: "no room" }],
    };
    assert.equal(problemsOf({ ...WELL, ...more }).length, 1);
  });

  test("control characters of what others named do not reach the terminal", () => {
    const more = { troubled: [{ name: "w\u001b[2J", status: "failed" }], warnings: [warning("\u0007\nforged  line")] };
    assert.doesNotMatch(renderStatus({ ...WELL, ...more }, screen), /[\u0007\u001b]/);
  });
});

function warning(message: string) {
  return { reason: "BackOff", message, about: "Pod default/web", count: 2, time: "2025-12-31T23:59:00Z" };
}
