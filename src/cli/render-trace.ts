/** `styr network trace` as people read it. Pure. */
import type { TraceHop, TraceReport, TraceWay } from "../model/network-questions.ts";
import { plainText } from "./plain-text.ts";
import { wrap } from "./table.ts";
import { paint, type Terminal } from "./terminal.ts";

type Screen = Pick<Terminal, "columns" | "colors" | "asTyped">;

export function renderTrace(report: TraceReport, screen: Screen): string {
  const { from, to, hops, ways, summary, isOpen } = report;
  const lines = [
    paint(plainText(`${from} → ${to}`), "bold", screen.colors),
    ...hops.flatMap((hop) => hopLines(hop, screen, "  ")),
  ];
  for (const way of ways) {
    const isOnly = ways.length === 1;
    if (!isOnly) lines.push(`  ${plainText(wayText(way.to))}`);
    lines.push(...way.hops.flatMap((hop) => hopLines(hop, screen, isOnly ? "  " : "    ")));
  }
  lines.push("", paint(plainText(summary), isOpen ? "green" : "red", screen.colors));
  return `${lines.join("\n")}\n`;
}

function wayText({ address, port, node, pod }: TraceWay): string {
  const where = [...(pod === undefined ? [] : [pod]), ...(node === undefined ? [] : [`on ${node}`])].join(" ");
  return `to ${address}${port === undefined ? "" : `:${port}`}${where === "" ? "" : ` (${where})`}`;
}

/** Longest of the words for what is looked at. */
const WHAT_WIDTH = 10;

function hopLines(
  { at, what, isOk, words, advice }: TraceHop,
  { columns = 110, colors, asTyped }: Screen,
  indent: string,
): readonly string[] {
  const mark = isOk === undefined ? "?" : isOk ? "✔" : "✘";
  const color = isOk === undefined ? "gray" : isOk ? "green" : "red";
  const head = `${indent}${paint(mark, color, colors)} ${what.padEnd(WHAT_WIDTH)} `;
  const below = " ".repeat(indent.length + WHAT_WIDTH + 3);
  const room = Math.max(30, columns - below.length);
  const text = wrap(plainText(`${words}  [${at}]`), room);
  const help = advice === undefined || isOk === true ? [] : wrap(plainText(asTyped(`→ ${advice}`)), room);
  return [...text, ...help].map((line, n) => `${n === 0 ? head : below}${line}`);
}
