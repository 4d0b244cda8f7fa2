import type { Command } from "commander";
import { humanBytes } from "../lib/quantity.ts";
import type { NodeRow, Share } from "../model/reports.ts";
import type { Clock } from "../seams/clock.ts";
import { warnOfBrake } from "./brake-banner.ts";
import { unknownNode } from "./cordon.ts";
import { type ListingOptions, outputOption, showListing, watchOption } from "./listing.ts";
import { openSession, untilInterrupted } from "./session.ts";
import type { Cell, Column } from "./table.ts";
import type { Color, Terminal } from "./terminal.ts";
import { age } from "./workload-columns.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("nodes")
    .description("Hosts: their health, their room (asked for / there for pods), and what can run there.")
    .argument("[names...]", "only these (names or beginnings of names)")
    .addOption(outputOption())
    .addOption(watchOption())
    .action(async (names: string[], options: ListingOptions, command: Command) => {
      const client = openSession(command, terminal);
      await warnOfBrake(terminal, client, options.output);
      await showListing(
        terminal,
        {
          get columns() {
            return nodeColumns(terminal.clock);
          },
          remark: { title: "TROUBLE", text: (row) => ({ text: nodeTrouble(row) ?? "", color: "red" }) },
          name: ({ name }) => name,
          empty: "no node has joined yet",
          fetch: () => client.nodes(),
          watch: (signal) => client.watchNodes(signal),
          ...(names.length === 0 ? {} : { missing: (rows: readonly NodeRow[]) => unknownNode(names.join(", "), rows) }),
          keep: ({ name }) => names.length === 0 || names.some((wanted) => name.startsWith(wanted)),
          order: (a, b) => (a.name < b.name ? -1 : 1),
        },
        options,
        options.watch ? untilInterrupted() : undefined,
      );
    });
}

export function nodeColumns(clock: Clock): readonly Column<NodeRow>[] {
  return [
    { title: "NAME", cell: ({ name }) => name, firm: true },
    {
      title: "STATUS",
      cell: statusCell,
      firm: true,
    },
    { title: "ADDRESS", cell: ({ address }) => address ?? "-", dropRank: 2 },
    { title: "SINCE", cell: ({ since }) => (since === undefined ? "-" : age(since, clock.now())), dropRank: 4 },
    { title: "HEALTH", cell: healthCell, dropRank: 5 },
    { title: "PODS", cell: ({ pods }) => String(pods), firm: true },
    { title: "CPU", cell: ({ cpuMillis }) => share(cpuMillis, (millis) => String(Number((millis / 1000).toFixed(2)))) },
    { title: "MEMORY", cell: ({ memoryBytes }) => share(memoryBytes, humanBytes) },
    {
      title: "RUNS",
      cell: ({ drivers }) => drivers.flatMap(({ name, ready }) => (ready ? name : [])).join(","),
      dropRank: 1,
    },
    { title: "AGE", cell: ({ createdAt }) => age(createdAt, clock.now()), dropRank: 3 },
    { title: "VERSION", cell: ({ version }) => version, wide: true },
    { title: "OS", cell: ({ os }) => os, wide: true },
    { title: "MACHINE", cell: ({ machineId }) => machineId, wide: true },
    { title: "LABELS", cell: ({ labels }) => labelText(labels), wide: true },
  ];
}

const STATE_COLOR: Readonly<Record<NodeRow["state"], Color>> = {
  ready: "green",
  suspect: "yellow",
  restarting: "yellow",
  unreachable: "red",
  gone: "gray",
  "not ready": "red",
  unknown: "gray",
};

const DRAIN_WORD: Readonly<Record<NonNullable<NodeRow["drain"]>, string>> = {
  draining: "draining",
  blocked: "drain blocked",
  drained: "drained",
};

function statusCell({ state, cordoned, drain, held }: NodeRow): Cell {
  // Whoever drains a node has cordoned it.
  const closed = drain === undefined ? "cordoned" : DRAIN_WORD[drain];
  const text = [state, ...(held ? ["held by the brake"] : []), ...(cordoned ? [closed] : [])].join(", ");
  return { text, color: state === "ready" && cordoned ? "yellow" : STATE_COLOR[state] };
}

/** Nobody knows how a node fares that is not heard. */
export function healthCell({ state, health, network = [] }: NodeRow): string | Cell {
  if (state !== "ready" && state !== "not ready") return "?";
  if (health === undefined && network.length > 0) return { text: "NetworkTrouble", color: "yellow" };
  return health === undefined ? "ok" : { text: health.word, color: "yellow" };
}

export function nodeTrouble({ reason, health, drivers, network = [] }: NodeRow): string | undefined {
  const silent = drivers
    .filter(({ ready }) => !ready)
    .map((driver) => `${driver.name}: ${driver.reason ?? "not ready"}`);
  const unwell = health === undefined || health.message === "" ? [] : [health.message];
  const all = [
    ...(reason === undefined ? [] : [reason]),
    ...unwell,
    ...silent,
    ...network.map((words) => `network: ${words}`),
  ];
  return all.length === 0 ? undefined : all.join("; ");
}

function share({ asked, allocatable }: Share, format: (amount: number) => string): string {
  return `${format(asked)}/${format(allocatable)}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",");
}
