import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NodeEntry } from "../model/network.ts";
import { EntryTable } from "./entry-table.ts";
import { PLAIN, ShelfView } from "./shelf-view.ts";

describe("sets of shelves that agents who come back are sent", () => {
  function view() {
    const table = new EntryTable();
    table.beginAnew();
    for (let n = 0; n < 400; n++) table.put({ kind: "node", id: `n${n}`, address: "192.0.2.1" } satisfies NodeEntry);
    table.endAnew();
    return new ShelfView(table, "all", undefined);
  }

  test("are made once for all that have missed the same", () => {
    const shelves = view();
    assert.equal(shelves.some([1, 2], PLAIN), shelves.some([1, 2], PLAIN));
  });

  test("are forgotten when some others were asked for: one that lies about what it has fills no memory", () => {
    const shelves = view();
    const first = shelves.some([1, 2], PLAIN);
    for (let other = 3; other < 7; other++) shelves.some([1, other], PLAIN);
    assert.notEqual(shelves.some([1, 2], PLAIN), first);
  });
});
