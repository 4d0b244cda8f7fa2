import { cpus, totalmem } from "node:os";
import { humanBytes } from "../../src/lib/quantity.ts";

/** Prints one table of a benchmark with the machine and the date, so that a figure is never without its circumstances. */
export function printTable(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en") : cell)));
  const widths = columns.map((column, at) => Math.max(column.length, ...cells.map((row) => (row[at] ?? "").length)));
  const line = (row: readonly string[]) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  ");
  console.log(`\n${title}`);
  console.log(`${machine()}, ${new Date().toISOString().slice(0, 10)}\n`);
  for (const row of [columns, widths.map((width) => "-".repeat(width)), ...cells]) console.log(line(row).trimEnd());
}

function machine(): string {
  const [first, ...rest] = cpus();
  return `${rest.length + 1} × ${first?.model.trim() ?? "unknown CPU"}, ${humanBytes(totalmem())}, Node ${process.version}`;
}
