import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodReport } from "../control.ts";
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
