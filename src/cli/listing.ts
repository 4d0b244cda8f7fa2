import { Option } from "commander";
import type { RowChange } from "../model/reports.ts";
import type { CliFailure } from "./failure.ts";
import { plainJson, plainLines, plainText } from "./plain-text.ts";
import { type Column, renderTable, type TableOptions } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const FORMATS = ["table", "wide", "json", "yaml", "name"] as const;
export type Format = (typeof FORMATS)[number];

export interface ListingOptions {
  readonly output: Format;
  readonly watch?: boolean;
}

/** What every listing of the command line knows to do with its rows. */
export interface Listing<Row> {
  readonly columns: readonly Column<Row>[];
  readonly remark?: TableOptions<Row>["remark"];
  readonly name: (row: Row) => string;
  /** Said when there is nothing to list. */
  readonly empty: string;
  /** What to say when there are rows, and none is kept. */
  readonly missing?: (rows: readonly Row[]) => CliFailure;
  /** Rows that go away are no news: what happened has happened. */
  readonly isHistory?: boolean;
  readonly fetch: () => Promise<readonly Row[]>;
  readonly watch: (signal: AbortSignal) => AsyncIterable<RowChange<Row>>;
  readonly keep?: (row: Row) => boolean;
  readonly order: (a: Row, b: Row) => number;
}

export function outputOption(): Option {
  return new Option("-o, --output <format>", "how to show it").choices([...FORMATS]).default("table");
}

export function watchOption(): Option {
  return new Option("-w, --watch", "go on showing changes");
}

/** Prints a listing once, or until `interrupted` aborts. Gives the rows of the last look. */
export async function showListing<Row>(
  terminal: Terminal,
  listing: Listing<Row>,
  { output, watch }: ListingOptions,
  interrupted?: AbortSignal,
): Promise<readonly Row[]> {
  if (watch) return watchListing(terminal, listing, output, interrupted ?? new AbortController().signal);
  const all = await listing.fetch();
  const rows = arrange(listing, all);
  if (rows.length === 0 && listing.missing !== undefined) throw listing.missing(all);
  const isEmpty = rows.length === 0 && output !== "json" && output !== "yaml";
  if (isEmpty && output !== "name") terminal.err(`${terminal.asTyped(listing.empty)}\n`);
  if (!isEmpty) terminal.out(`${await renderRows(terminal, listing, rows, output)}\n`);
  return rows;
}

function arrange<Row>({ keep, order }: Listing<Row>, rows: readonly Row[]): readonly Row[] {
  return rows.filter((row) => keep?.(row) ?? true).sort(order);
}

async function renderRows<Row>(
  terminal: Pick<Terminal, "columns" | "colors">,
  { columns, remark, name }: Listing<Row>,
  rows: readonly Row[],
  output: Format,
  header = true,
): Promise<string> {
  switch (output) {
    case "json":
      return plainJson(JSON.stringify(rows, null, 2));
    case "yaml":
      return (await renderYaml(rows)).trimEnd();
    case "name":
      return rows.map((row) => plainText(name(row))).join("\n");
    default: {
      const shown = columns.filter(({ wide }) => output === "wide" || !wide);
      // `wide` means: leave nothing out.
      const width = output === "wide" ? undefined : terminal.columns;
      return renderTable(shown, rows, { width, colors: terminal.colors, header, ...(remark ? { remark } : {}) });
    }
  }
}

export async function renderYaml(value: unknown): Promise<string> {
  const { Document, visit } = await import("yaml");
  const document = new Document(value, { aliasDuplicateObjects: false });
  // In double quotes, YAML has escapes for what must not reach a terminal: it stays the same YAML.
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === "string" && plainLines(node.value) !== node.value) node.type = "QUOTE_DOUBLE";
    },
  });
  return plainLines(document.toString({ lineWidth: 0 }));
}

/** On a terminal the table is drawn again in place; elsewhere each change is one more line, as it comes. */
async function watchListing<Row>(
  terminal: Terminal,
  listing: Listing<Row>,
  output: Format,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const rows = new Map<string, Row>();
  const live = terminal.isTerminal && (output === "table" || output === "wide");
  const screen = new Screen(terminal);
  let synced = false;
  for await (const change of listing.watch(signal)) {
    const before = change.type === "gone" ? rows.get(change.id) : undefined;
    if (change.type === "row") rows.set(change.id, change.row);
    else if (change.type === "gone") rows.delete(change.id);
    else synced = true;
    if (!synced) continue;
    const all = arrange(listing, [...rows.values()]);
    const empty = rows.size > 0 ? "nothing of that name yet" : terminal.asTyped(listing.empty);
    if (live) screen.draw(all.length === 0 ? empty : await renderRows(terminal, listing, all, output));
    else if (change.type === "gone" && before !== undefined) await appendGone(terminal, listing, before, output);
    else if (change.type === "synced") await appendRows(terminal, listing, all, output, true);
    else if (change.type === "row") await appendRows(terminal, listing, arrange(listing, [change.row]), output, false);
  }
  return arrange(listing, [...rows.values()]);
}

async function appendRows<Row>(
  terminal: Terminal,
  listing: Listing<Row>,
  rows: readonly Row[],
  output: Format,
  header: boolean,
): Promise<void> {
  if (rows.length === 0) return;
  if (output === "json") for (const row of rows) terminal.out(`${plainJson(JSON.stringify(row))}\n`);
  else if (output === "yaml") for (const row of rows) terminal.out(`---\n${await renderYaml(row)}`);
  else terminal.out(`${await renderRows(terminal, listing, rows, output, header)}\n`);
}

/** Where nothing is drawn over, that a row is gone is news of its own. A list of names has no word for it. */
async function appendGone<Row>(terminal: Terminal, listing: Listing<Row>, row: Row, output: Format): Promise<void> {
  if (listing.isHistory || output === "name" || arrange(listing, [row]).length === 0) return;
  const news = { type: "gone", id: listing.name(row) };
  if (output === "json") return terminal.out(`${plainJson(JSON.stringify(news))}\n`);
  if (output === "yaml") return terminal.out(`---\n${await renderYaml(news)}`);
  const gone = { text: "gone", color: "gray" } as const;
  const hasStatus = listing.columns.some(({ title }) => title === "STATUS");
  const columns = listing.columns.map((column) =>
    column.title === "STATUS" ? { ...column, cell: () => gone } : column,
  );
  const remark = { title: "", text: () => (hasStatus ? undefined : gone) };
  terminal.out(`${await renderRows(terminal, { ...listing, columns, remark }, [row], output, false)}\n`);
}

/** Draws over what it drew before. Taller than the terminal: the rest is left out, since it could not be drawn over. */
export class Screen {
  readonly #terminal: Pick<Terminal, "out" | "rows">;
  #height = 0;

  constructor(terminal: Pick<Terminal, "out" | "rows">) {
    this.#terminal = terminal;
  }

  /** Takes away what was drawn. */
  clear(): void {
    if (this.#height > 0) this.#terminal.out(`\u001b[${this.#height}A\r\u001b[0J`);
    this.#height = 0;
  }

  draw(text: string): void {
    const most = Math.max(1, (this.#terminal.rows ?? 24) - 1);
    const all = text === "" ? [] : text.split("\n");
    const lines = all.length <= most ? all : [...all.slice(0, most - 1), `… ${all.length - most + 1} more lines`];
    const up = this.#height === 0 ? "" : `\u001b[${this.#height}A`;
    this.#terminal.out(`${up}\r\u001b[0J${lines.map((line) => `${line}\n`).join("")}`);
    this.#height = lines.length;
  }
}
