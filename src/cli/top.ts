import type { Command } from "commander";
import type { StyrClient } from "../client/styr-client.ts";
import { humanBytes } from "../lib/quantity.ts";
import type { RowChange, UsageRow } from "../model/reports.ts";
import type { Clock } from "../seams/clock.ts";
import { type ListingOptions, outputOption, showListing, watchOption } from "./listing.ts";
import { openSession, untilInterrupted } from "./session.ts";
import type { Column } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** Nobody is told when usage changes: it always does. */
const LOOK_EVERY_MS = 2000;

export function register(program: Command, terminal: Terminal): void {
  program
    .command("top")
    .description("CPU and memory that each running container, process and unit takes now.")
    .argument("[name]", "only this workload, or this copy of it")
    .addOption(outputOption())
    .addOption(watchOption())
    .action(async (name: string | undefined, options: ListingOptions, command: Command) => {
      const client = openSession(command, terminal);
      await showListing<UsageRow>(
        terminal,
        {
          columns: usageColumns(),
          remark: { title: "TROUBLE", text: ({ trouble }) => ({ text: trouble ?? "", color: "red" }) },
          name: ({ pod }) => pod,
          empty: "nothing runs",
          fetch: () => client.usage(name),
          watch: (signal) => lookAgain(client, name, terminal.clock, signal),
          order: (a, b) => b.cpuMillis - a.cpuMillis || b.memoryBytes - a.memoryBytes || (idOf(a) < idOf(b) ? -1 : 1),
        },
        options,
        options.watch ? untilInterrupted() : undefined,
      );
    });
}

export function usageColumns(): readonly Column<UsageRow>[] {
  return [
    { title: "NAME", cell: ({ workload }) => workload, firm: true },
    { title: "COPY", cell: ({ pod }) => pod.slice(pod.indexOf("/") + 1), dropRank: 1 },
    { title: "CONTAINER", cell: ({ container }) => container || "-", dropRank: 2 },
    { title: "CPU", cell: ({ cpuMillis }) => `${cpuMillis}m`, firm: true },
    { title: "MEMORY", cell: ({ memoryBytes }) => humanBytes(memoryBytes), firm: true },
    { title: "NODE", cell: ({ node }) => node, dropRank: 3 },
  ];
}

async function* lookAgain(
  client: StyrClient,
  name: string | undefined,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<RowChange<UsageRow>> {
  let known = new Set<string>();
  while (!signal.aborted) {
    const rows = await client.usage(name);
    const ids = new Set(rows.map(idOf));
    for (const id of known) if (!ids.has(id)) yield { type: "gone", id };
    for (const row of rows) yield { type: "row", id: idOf(row), row };
    if (known.size === 0) yield { type: "synced" };
    known = ids;
    // Ends early only by the abort, which the loop's condition sees.
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

function idOf({ pod, container }: UsageRow): string {
  return `${pod}/${container}`;
}
