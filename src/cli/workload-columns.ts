/** How a workload looks in a table. Pure, given the time. */
import { humanDuration } from "../lib/duration.ts";
import type { Workload, WorkloadStatus } from "../model/workload.ts";
import { fullName } from "../model/workload-name.ts";
import { type Cell, type Column, renderTable } from "./table.ts";
import type { Color, Terminal } from "./terminal.ts";

const STATUS_COLOR: Readonly<Record<WorkloadStatus, Color>> = {
  running: "green",
  done: "green",
  starting: "yellow",
  degraded: "yellow",
  stopping: "yellow",
  unplaced: "red",
  pending: "red",
  restarting: "red",
  failed: "red",
  lost: "red",
  stopped: "gray",
};

const SHORT_KIND: Readonly<Record<string, string>> = { ReplicationController: "rc" };

export function workloadColumns(nowMs: number, isAmbiguous: (row: Workload) => boolean): readonly Column<Workload>[] {
  return [
    { title: "NAME", cell: (row) => (isAmbiguous(row) ? fullName(row) : row.name), firm: true },
    { title: "KIND", cell: ({ kind }) => SHORT_KIND[kind] ?? kind.toLowerCase(), dropRank: 4 },
    { title: "DIALECT", cell: ({ dialect }) => dialect, wide: true },
    { title: "NAMESPACE", cell: ({ namespace }) => namespace ?? "", wide: true },
    { title: "READY", cell: ({ ready, desired }) => `${ready}/${desired}`, firm: true },
    { title: "STATUS", cell: ({ status }) => ({ text: status, color: STATUS_COLOR[status] }), firm: true },
    { title: "NODE", cell: (row) => nodeCell(row), dropRank: 3 },
    { title: "NODES", cell: ({ nodes }) => nodes.join(","), wide: true },
    { title: "SINCE", cell: ({ since }) => age(since, nowMs), firm: true },
    {
      title: "RESTARTS",
      cell: ({ pods }) => String(pods.reduce((sum, { restarts }) => sum + restarts, 0)),
      wide: true,
    },
    { title: "RUNS", cell: ({ what }) => what, dropRank: 2 },
    { title: "URL", cell: ({ urls }) => urlCell(urls), firm: true, dropRank: 1 },
  ];
}

/** What is said beside a row: what is wrong, else why nothing runs. */
export function workloadRemark({ error, note, status }: Workload): Cell | undefined {
  if (error !== undefined) return { text: error, color: "red" };
  return status === "stopped" && note !== undefined ? { text: note, color: "gray" } : undefined;
}

function nodeCell({ nodes, status }: Workload): string {
  if (nodes.length > 1) return `${nodes.length} nodes`;
  return nodes[0] ?? (status === "stopped" ? "" : "-");
}

function urlCell(urls: readonly string[]): string {
  const [first = ""] = urls;
  return urls.length > 1 ? `${first} +${urls.length - 1}` : first;
}

/** `3m12s`, or "" when the text is no time. */
export function age(rfc3339: string, nowMs: number): string {
  const at = Date.parse(rfc3339);
  return Number.isNaN(at) ? "" : humanDuration(Math.max(0, nowMs - at));
}

/** Whether another workload has the same name. */
export function ambiguity(rows: readonly Workload[]): (row: Workload) => boolean {
  const counts = new Map<string, number>();
  for (const { name } of rows) counts.set(name, (counts.get(name) ?? 0) + 1);
  return ({ name }) => (counts.get(name) ?? 0) > 1;
}

/** The table of `styr ps` for these rows. */
export function workloadTable(
  rows: readonly Workload[],
  { columns: width, colors, clock }: Pick<Terminal, "columns" | "colors" | "clock">,
): string {
  const columns = workloadColumns(clock.now(), ambiguity(rows)).filter(({ wide }) => !wide);
  return renderTable(columns, rows, { width, colors, remark: { title: "REMARK", text: workloadRemark } });
}
