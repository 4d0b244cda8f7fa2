import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodReport } from "../control.ts";
import { MOST_EVENTS, MOST_REPORT_CHARS, MOST_REPORTS } from "../frames/limits.ts";
import { callFrame, parseToDispatcher } from "../frames/to-dispatcher.ts";
import { reportCalls } from "./report-calls.ts";

const reportOf = (at: number, chars: number): PodReport => ({
  key: `default/p${at}`,
  uid: `u${at}`,
  status: { phase: "Running", message: "x".repeat(chars) },
});

test("a report of nothing but events is one call", () => {
  const event = { podKey: "a", podUid: "b", type: "Normal", reason: "R", message: "" } as const;
  assert.deepEqual(
    reportCalls([], [event], 100).map((text) => JSON.parse(text)),
    [{ method: "report", reports: [], events: [event] }],
  );
});

test("a report is cut into calls of bounded size, in its order; what is large alone travels alone", () => {
  const event = { podKey: "a", podUid: "b", type: "Normal", reason: "R", message: "" } as const;
  const reports = [reportOf(1, 50), reportOf(2, 5_000), reportOf(3, 50), reportOf(4, 50)];
  const calls = reportCalls(reports, [event], 400).map((text) => JSON.parse(text));
  assert.deepEqual(
    calls.map((call) => call.reports.map(({ uid }: PodReport) => uid)),
    [["u1"], ["u2"], ["u3", "u4"]],
  );
  assert.deepEqual(
    calls.map((call) => call.events.length),
    [1, 0, 0],
  );
  assert.deepEqual(
    calls.flatMap((call) => call.reports),
    reports,
  );
});

test("no call says more than the other side takes at once", () => {
  const event = { podKey: "a", podUid: "b", type: "Normal", reason: "R", message: "" } as const;
  const reports = Array.from({ length: MOST_REPORTS + 1 }, (_, at) => reportOf(at, 1));
  const calls = reportCalls(reports, Array(2 * MOST_EVENTS + 1).fill(event), 10_000_000).map((text) =>
    JSON.parse(text),
  );
  assert.deepEqual(
    calls.map((call) => [call.reports.length, call.events.length]),
    [
      [MOST_REPORTS, MOST_EVENTS],
      [1, MOST_EVENTS],
      [0, 1],
    ],
  );
});

test("what is too much of one pod is said in fewer words, and without its containers at the worst", () => {
  const wordy = (names: number, chars: number): PodReport => {
    const name = (at: number) => `c${at}`.padEnd(chars, "x");
    const state = { waiting: { reason: "R", message: "m".repeat(10_000) } };
    const made = Array.from({ length: names }, (_, at) => ({
      name: name(at),
      restartCount: 0,
      ready: true,
      image: "",
      imageID: "",
      state,
    }));
    return { key: "a/b", uid: "u", status: { phase: "Running", containerStatuses: made } };
  };
  const told = (report: PodReport) => {
    const [text = ""] = reportCalls([report], [], 1_000);
    assert.ok(text.length < MOST_REPORT_CHARS + 100);
    parseToDispatcher(callFrame("s", 1, 1, text));
    return JSON.parse(text).reports[0].status;
  };
  assert.equal(told(wordy(40, 10)).containerStatuses.length, 40);
  assert.deepEqual(told(wordy(400, 1_000)), { phase: "Running" });
});
