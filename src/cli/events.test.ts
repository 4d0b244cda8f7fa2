import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventRow } from "../model/reports.ts";
import { SystemClock } from "../seams/clock.ts";
import { eventColumns, eventRemark } from "./events.ts";
import { renderTable } from "./table.ts";

const ROW: EventRow = {
  id: "default/a",
  time: "2024-05-01T10:00:05Z",
  firstTime: "2024-05-01T10:00:00Z",
  count: 3,
  type: "Warning",
  reason: "FailedScheduling",
  message: "0 of 1 node can take it; it fits on n1 if cpu ≤ 610m and memory ≤ 21657 MiB is all that it asks for",
  about: "Pod marathon/a-rather-long-name-77wlthfmpx",
  workload: "/shop/a-rather-long-name",
  component: "scheduler",
};

test("on a narrow terminal an event's message is whole, below its row", () => {
  const columns = eventColumns(new SystemClock()).filter(({ wide }) => !wide);
  const text = renderTable(columns, [ROW], { width: 80, colors: false, remark: eventRemark });
  const [, row = "", ...below] = text.split("\n");
  assert.match(row, /FailedScheduling +\/shop\/a-rather-long-name/);
  assert.equal(below.map((line) => line.slice(4)).join(" "), `${ROW.message} (×3)`);
  for (const line of text.split("\n")) assert.ok([...line].length <= 80, line);
});
