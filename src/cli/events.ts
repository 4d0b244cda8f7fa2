import type { Command } from "commander";
import type { EventRow } from "../model/reports.ts";
import type { Clock } from "../seams/clock.ts";
import { warnOfBrake } from "./brake-banner.ts";
import { type ListingOptions, outputOption, showListing, watchOption } from "./listing.ts";
import { openSession, untilInterrupted } from "./session.ts";
import type { Column } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { age } from "./workload-columns.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("events")
    .description("What happened, oldest first: placements, starts, failures, restarts, each with its reason.")
    .argument("[name]", "only what concerns this workload, Ingress, host or node")
    .addOption(outputOption())
    .addOption(watchOption())
    .action(async (name: string | undefined, options: ListingOptions, command: Command) => {
      const client = openSession(command, terminal);
      await warnOfBrake(terminal, client, options.output);
      // Appended, never drawn over: what happened stays on the screen.
      const appending = { ...terminal, isTerminal: false, columns: terminal.columns, rows: terminal.rows };
      await showListing(
        appending,
        {
          get columns() {
            return eventColumns(terminal.clock);
          },
          remark: eventRemark,
          name: ({ id }) => id,
          isHistory: true,
          empty: "nothing has happened yet",
          fetch: () => client.events(name),
          watch: (signal) => client.watchEvents(signal, name),
          // Within one second the server's order stays: it knows what was written first.
          order: (a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0),
        },
        options,
        options.watch ? untilInterrupted() : undefined,
      );
    });
}

export function eventColumns(clock: Clock): readonly Column<EventRow>[] {
  return [
    { title: "AGE", cell: ({ time }) => age(time, clock.now()), firm: true },
    { title: "TIME", cell: ({ time }) => time, wide: true },
    {
      title: "TYPE",
      cell: ({ type }) => (type === "Warning" ? { text: type, color: "yellow" } : type),
      dropRank: 3,
    },
    { title: "REASON", cell: ({ reason }) => reason, firm: true },
    { title: "ABOUT", cell: ({ about, workload }) => workload ?? about, firm: true },
    { title: "OBJECT", cell: ({ about }) => about, wide: true },
    { title: "BY", cell: ({ component, host }) => (host ? `${component}@${host}` : component), dropRank: 2 },
  ];
}

/** Beside the row, or below it where it does not fit: half a reason is none. */
export const eventRemark = {
  title: "MESSAGE",
  text: ({ message, count }: EventRow): string => (count > 1 ? `${message} (×${count})` : message),
};
