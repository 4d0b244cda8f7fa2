import type { Command } from "commander";
import type { RowChange } from "../model/reports.ts";
import type { Workload } from "../model/workload.ts";
import { fullName, resolveWorkload, spellings } from "../model/workload-name.ts";
import type { Clock } from "../seams/clock.ts";
import { warnOfBrake } from "./brake-banner.ts";
import { CliFailure } from "./failure.ts";
import { type Listing, type ListingOptions, outputOption, showListing, watchOption } from "./listing.ts";
import { openSession, untilInterrupted } from "./session.ts";
import type { Terminal } from "./terminal.ts";
import { ambiguity, workloadColumns, workloadRemark } from "./workload-columns.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("ps")
    .description("What is wanted and what runs: each unit, app, controller and pod with its node, URL and error.")
    .argument("[names...]", "only these (names or beginnings of names)")
    .addOption(outputOption())
    .addOption(watchOption())
    .action(async (names: string[], options: ListingOptions, command: Command) => {
      const client = openSession(command, terminal);
      const listing = workloadListing(
        terminal.clock,
        () => client.workloads(),
        (signal) => client.watchWorkloads(signal),
        names,
      );
      await warnOfBrake(terminal, client, options.output);
      await showListing(terminal, listing, options, options.watch ? untilInterrupted() : undefined);
    });
}

export function workloadListing(
  clock: Clock,
  fetch: () => Promise<readonly Workload[]>,
  watch: (signal: AbortSignal) => AsyncIterable<RowChange<Workload>>,
  names: readonly string[],
): Listing<Workload> {
  let isAmbiguous = (_row: Workload) => false;
  return {
    // Evaluated for each drawing, so that ages and ambiguities are those of the moment.
    get columns() {
      return workloadColumns(clock.now(), (row) => isAmbiguous(row));
    },
    remark: { title: "REMARK", text: workloadRemark },
    name: fullName,
    empty: "nothing runs here yet; next: styr apply -f FILE",
    async fetch() {
      const rows = await fetch();
      isAmbiguous = ambiguity(rows);
      return rows;
    },
    watch,
    ...(names.length === 0 ? {} : { missing: (rows: readonly Workload[]) => unknownNames(names, rows) }),
    keep: (row) => names.length === 0 || spellings(row).some((text) => names.some((name) => text.startsWith(name))),
    order: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : fullName(a) < fullName(b) ? -1 : 1),
  };
}

function unknownNames(names: readonly string[], rows: readonly Workload[]): CliFailure {
  const close = names.flatMap((name) => {
    const resolution = resolveWorkload(name, rows);
    return "unknown" in resolution ? resolution.unknown : [];
  });
  const hint = close.length > 0 ? `; did you mean ${[...new Set(close)].map((name) => `"${name}"`).join(" or ")}?` : "";
  return new CliFailure(`nothing is named ${names.map((name) => `"${name}"`).join(" or ")}${hint}`, {
    next: "styr ps",
  });
}
