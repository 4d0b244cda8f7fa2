import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Column, renderTable } from "./table.ts";

interface Row {
  readonly name: string;
  readonly what: string;
  readonly error?: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "NAME", cell: ({ name }) => name, firm: true },
  { title: "NODE", cell: () => "node-1", dropRank: 2 },
  { title: "RUNS", cell: ({ what }) => ({ text: what, color: "green" }) },
];
const ROWS: readonly Row[] = [
  { name: "web", what: "nginx:1" },
  { name: "/shop/cart", what: "registry.example/shop/cart:2024-05", error: "Bind for 0.0.0.0:80 failed" },
];
const remark = { title: "ERROR", text: ({ error }: Row) => error };

describe("table:", () => {
  test("columns line up, and nothing is cut where there is no terminal", () => {
    assert.equal(
      renderTable(COLUMNS, ROWS, { colors: false, remark }),
      [
        "NAME        NODE    RUNS                                ERROR",
        "web         node-1  nginx:1",
        "/shop/cart  node-1  registry.example/shop/cart:2024-05  Bind for 0.0.0.0:80 failed",
      ].join("\n"),
    );
  });

  test("on a narrow terminal a remark goes below its row, and the widest column is cut", () => {
    assert.equal(
      renderTable(COLUMNS, ROWS, { width: 40, colors: false, remark }),
      [
        "NAME        NODE    RUNS",
        "web         node-1  nginx:1",
        "/shop/cart  node-1  registry.example/sh…",
        "  └ Bind for 0.0.0.0:80 failed",
      ].join("\n"),
    );
  });

  test("on a very narrow one the least needed column goes, and no line is wider than the terminal", () => {
    const lines = renderTable(COLUMNS, ROWS, { width: 28, colors: false }).split("\n");
    assert.equal(lines[0], "NAME        RUNS");
    for (const line of lines) assert.ok([...line].length <= 28, line);
  });

  test("escape sequences in cells and remarks cannot act", () => {
    const rows = [{ name: "\u001b[2Jweb\n\u009b31m", what: "x", error: "\u202egpj.exe" }];
    const text = renderTable(COLUMNS, rows, { colors: false, remark });
    assert.match(text, /\\x1b\[2Jweb\\x0a\\x9b31m/);
    assert.match(text, /\\u202egpj\.exe/);
  });

  test("colours are there only when they are wanted, and do not count as width", () => {
    assert.ok(!renderTable(COLUMNS, ROWS, { colors: false }).includes("\u001b"));
    const plain = renderTable(COLUMNS, ROWS, { width: 60, colors: true }).replaceAll(/\u001b\[\d+m/g, "");
    assert.equal(plain, renderTable(COLUMNS, ROWS, { width: 60, colors: false }));
  });
});
