import { plainText } from "./plain-text.ts";
import { type Color, paint } from "./terminal.ts";

export interface Cell {
  readonly text: string;
  readonly color?: Color;
}

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string | Cell;
  /** Shown with `-o wide` only. */
  readonly wide?: boolean;
  /** Never cut short: half of it is worth nothing. */
  readonly firm?: boolean;
  /** Left out on a narrow terminal, highest first, before anything is cut short. */
  readonly dropRank?: number;
}

export interface TableOptions<Row> {
  /** Of the terminal; undefined = no limit (a file, a pipe). */
  readonly width?: number | undefined;
  readonly colors: boolean;
  readonly header?: boolean;
  /** A remark on a row: a last column where it fits, else a line of its own below the row. */
  readonly remark?: { readonly title: string; readonly text: (row: Row) => string | Cell | undefined };
}

const GAP = 2;
/** Cut further than this, a column says too little: better to leave one out. */
const LEAST_USEFUL = 14;
const NARROWEST = 6;

/** Lines of a table, without a newline at the end of the last. Pure. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, colors, header = true, remark }: TableOptions<Row>,
): string {
  const cells = rows.map((row) => columns.map((column) => toCell(column.cell(row))));
  const remarks = rows.map((row) => toCell(remark?.text(row) ?? ""));
  const widest = columns.map(({ title }, at) => Math.max(title.length, ...cells.map((line) => size(line[at]))));
  const { kept, widths } = fit(columns, widest, width);

  const tableWidth = kept.reduce((sum, at) => sum + (widths[at] ?? 0) + GAP, 0);
  const hasRemarks = remarks.some(({ text }) => text !== "");
  const longestRemark = Math.max(0, ...remarks.map(size));
  const beside = hasRemarks && (width === undefined || tableWidth + longestRemark <= width);

  const lines: string[] = [];
  if (header) {
    const titles = kept.map((at) => ({ text: columns[at]?.title ?? "" }));
    lines.push(joinCells(titles, kept, widths, { text: beside ? (remark?.title ?? "") : "" }, false));
  }
  for (const [at, line] of cells.entries()) {
    const shown = kept.map((column) => line[column] ?? { text: "" });
    const said = remarks[at] ?? { text: "" };
    lines.push(joinCells(shown, kept, widths, beside ? said : { text: "" }, colors));
    if (!beside && said.text !== "") lines.push(...below(said, width, colors));
  }
  return lines.join("\n");
}

function toCell(cell: string | Cell): Cell {
  return typeof cell === "string" ? { text: plainText(cell) } : { ...cell, text: plainText(cell.text) };
}

function size(cell: Cell | undefined): number {
  return cell === undefined ? 0 : [...cell.text].length;
}

/** Which columns stay and how wide each is: first the least needed are left out, then the widest are cut. */
function fit<Row>(columns: readonly Column<Row>[], widest: readonly number[], width: number | undefined) {
  let kept = columns.map((_, at) => at);
  const widths = [...widest];
  if (width === undefined) return { kept, widths };
  const total = () => kept.reduce((sum, at) => sum + (widths[at] ?? 0), 0) + GAP * (kept.length - 1);
  const least = () => kept.reduce((sum, at) => sum + leastWidth(columns[at], widths[at] ?? 0), GAP * (kept.length - 1));
  const droppable = kept
    .filter((at) => columns[at]?.dropRank !== undefined)
    .sort((a, b) => (columns[b]?.dropRank ?? 0) - (columns[a]?.dropRank ?? 0));
  while (least() > width && droppable.length > 0) {
    const gone = droppable.shift();
    kept = kept.filter((at) => at !== gone);
  }
  while (total() > width) {
    const soft = kept.filter((at) => columns[at]?.firm !== true && (widths[at] ?? 0) > NARROWEST);
    const cut = soft.sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0];
    if (cut === undefined) break;
    widths[cut] = (widths[cut] ?? 0) - 1;
  }
  return { kept, widths };
}

function leastWidth<Row>(column: Column<Row> | undefined, width: number): number {
  return column?.firm ? width : Math.min(width, LEAST_USEFUL);
}

function joinCells(
  cells: readonly Cell[],
  kept: readonly number[],
  widths: readonly number[],
  remark: Cell,
  painted: boolean,
): string {
  const texts = cells.map(({ text, color }, at) => {
    const room = widths[kept[at] ?? 0] ?? 0;
    const short = shorten(text, room);
    const last = at === cells.length - 1 && remark.text === "";
    return paint(short, color, painted) + (last ? "" : " ".repeat(room - [...short].length));
  });
  const line = [...texts, ...(remark.text === "" ? [] : [paint(remark.text, remark.color, painted)])];
  return line.join(" ".repeat(GAP)).trimEnd();
}

/** Cut to `room` characters, with an ellipsis as the last. */
export function shorten(text: string, room: number): string {
  const characters = [...text];
  return characters.length <= room ? text : `${characters.slice(0, Math.max(0, room - 1)).join("")}…`;
}

function below({ text, color }: Cell, width: number | undefined, colors: boolean): readonly string[] {
  const lines = wrap(text, Math.max(20, (width ?? 100) - 4));
  return lines.map((line, at) => paint(`${at === 0 ? "  └ " : "    "}${line}`, color, colors));
}

/** Breaks at spaces into lines of at most `width`; longer words are broken where they must be. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const joined = line === "" ? word : `${line} ${word}`;
    if (joined.length <= width) {
      line = joined;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
    while (line.length > width) {
      lines.push(line.slice(0, width));
      line = line.slice(width);
    }
  }
  return [...lines, line];
}
