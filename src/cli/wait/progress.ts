import { plainText } from "../plain-text.ts";
import { shorten } from "../table.ts";
import { paint, type Terminal } from "../terminal.ts";
import type { Judged } from "./judge.ts";

const MOST_LINES = 10;

/** What is not settled yet, line by line, with a count above when there is more than one. */
export function progressLines(
  judged: readonly Judged[],
  wants: "running" | "gone",
  { columns = 80, colors }: Pick<Terminal, "columns" | "colors">,
): string {
  const open = judged.filter(({ verdict }) => verdict === "waiting");
  const count = judged.length > 1 ? [`${judged.length - open.length} of ${judged.length} settled`] : [];
  const shown = open.slice(0, MOST_LINES).map((one) => {
    const text = shorten(targetLine(one, wants), columns - 1);
    return paint(text, one.row?.error === undefined ? "yellow" : "red", colors);
  });
  const more = open.length > MOST_LINES ? [`… and ${open.length - MOST_LINES} more`] : [];
  return [...count, ...shown, ...more].join("\n");
}

/** `web: starting 1/3 on n1`. */
export function targetLine({ target, row }: Judged, wants: "running" | "gone"): string {
  const name = plainText(target.name);
  if (!row) return wants === "gone" ? `${name}: gone` : `${name}: accepted`;
  const surplus = row.ready - row.desired;
  if (surplus > 0) return `${name}: stopping ${surplus} of ${row.ready}`;
  const count = row.desired > 1 || row.ready > 0 ? ` ${row.ready}/${row.desired}` : "";
  const place = row.status === "unplaced" ? "" : placeWords(row.nodes);
  return plainText(`${name}: ${row.status}${count}${place}${row.error === undefined ? "" : `: ${row.error}`}`);
}

function placeWords(nodes: readonly string[]): string {
  const [first] = nodes;
  if (first === undefined) return "";
  return nodes.length === 1 ? ` on ${first}` : ` on ${nodes.length} nodes`;
}
