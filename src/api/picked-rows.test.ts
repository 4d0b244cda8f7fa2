import assert from "node:assert/strict";
import { test } from "node:test";
import type { RowChange } from "../model/reports.ts";
import { pickedRows } from "./picked-rows.ts";

async function* said(...changes: readonly RowChange<number>[]) {
  yield* changes;
}

test("of a feed's rows a watcher gets those it asked for, and hears that they are gone, or are it no longer", async () => {
  const row = (id: string, value: number) => ({ type: "row", id, row: value }) as const;
  const feed = said(row("a", 1), row("b", 2), { type: "synced" }, row("a", 2), row("b", 4), row("a", 3), {
    type: "gone",
    id: "b",
  });
  const isEven = (value: number) => value % 2 === 0;
  const heard: RowChange<string>[] = [];
  for await (const change of pickedRows(feed, isEven, (value) => `is ${value}`)) heard.push(change);
  assert.deepEqual(heard, [
    { type: "row", id: "b", row: "is 2" },
    { type: "synced" },
    { type: "row", id: "a", row: "is 2" },
    { type: "row", id: "b", row: "is 4" },
    { type: "gone", id: "a" },
    { type: "gone", id: "b" },
  ]);
});
