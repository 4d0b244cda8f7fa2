import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodReport } from "../control.ts";
import { groupsOf } from "./report-groups.ts";

const reportOf = (at: number, chars: number): PodReport => ({
  key: `default/p${at}`,
  uid: `u${at}`,
  status: { phase: "Running", message: "x".repeat(chars) },
});

test("a report of nothing but events is one group", () => {
  const event = { podKey: "a", podUid: "b", type: "Normal", reason: "R", message: "" } as const;
  assert.deepEqual(groupsOf([], [event], 100), [{ reports: [], events: [event] }]);
});

test("reports are cut into groups of bounded size, in their order; a single large one travels alone", () => {
  const reports = [reportOf(1, 50), reportOf(2, 5_000), reportOf(3, 50), reportOf(4, 50)];
  const groups = groupsOf(reports, [], 400);
  assert.deepEqual(
    groups.map((group) => group.reports.map(({ uid }) => uid)),
    [["u1"], ["u2"], ["u3", "u4"]],
  );
});
