import type { Command } from "commander";
import type { ServicePortRow, ServiceRow } from "../model/service-row.ts";
import type { Clock } from "../seams/clock.ts";
import { CliFailure } from "./failure.ts";
import { type ListingOptions, outputOption, showListing, watchOption } from "./listing.ts";
import { openSession, untilInterrupted } from "./session.ts";
import type { Cell, Column } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { age } from "./workload-columns.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("services")
    .description(
      "Services of Kubernetes and service ports of Marathon apps: their addresses, their ports, and who answers.",
    )
    .argument("[name]", "only those of this name")
    .addOption(outputOption())
    .addOption(watchOption())
    .action(async (name: string | undefined, options: ListingOptions, command: Command) => {
      const client = openSession(command, terminal);
      await showListing(
        terminal,
        {
          get columns() {
            return serviceColumns(terminal.clock);
          },
          name: nameOf,
          remark: LEFT_OUT,
          empty: "there are no services",
          fetch: () => client.services(),
          watch: (signal) => client.watchServices(signal),
          ...(name === undefined ? {} : { missing: (rows: readonly ServiceRow[]) => unknownService(name, rows) }),
          keep: (row) => name === undefined || isNamed(row, name),
          order: (a, b) => (keyText(a) < keyText(b) ? -1 : 1),
        },
        options,
        options.watch ? untilInterrupted() : undefined,
      );
    });
}

/** What no column has room for. */
export const LEFT_OUT = {
  title: "TROUBLE",
  text: ({ leftOut }: ServiceRow) => (leftOut === undefined ? undefined : ({ text: leftOut, color: "red" } as const)),
};

/** Also Marathon's ids without the first slash. */
function isNamed(row: ServiceRow, name: string): boolean {
  return [row.name, nameOf(row), nameOf(row).replace(/^\//, "")].includes(name);
}

/** Names that have the one that was asked for in them. */
export function unknownService(name: string, rows: readonly ServiceRow[]): CliFailure {
  const near = rows.map(nameOf).filter((one) => one.toLowerCase().includes(name.toLowerCase().replace(/^\//, "")));
  const hint =
    near.length > 0
      ? `; did you mean ${near
          .slice(0, 5)
          .map((one) => `"${one}"`)
          .join(" or ")}?`
      : "";
  return new CliFailure(`there is no service ${JSON.stringify(name)}${hint}`, { next: "styr services" });
}

/** As its dialect's users write it: Marathon's ids are the whole name. */
function nameOf({ dialect, namespace, name }: ServiceRow): string {
  return dialect === "kubernetes" ? `${namespace}/${name}` : name;
}

function keyText(row: ServiceRow): string {
  return `${row.dialect} ${nameOf(row)}`;
}

export function serviceColumns(clock: Clock): readonly Column<ServiceRow>[] {
  return [
    { title: "NAME", cell: nameOf, firm: true },
    { title: "DIALECT", cell: ({ dialect }) => dialect, dropRank: 3 },
    { title: "TYPE", cell: ({ type }) => type, dropRank: 2 },
    { title: "ADDRESS", cell: ({ addresses }) => addresses.join(",") || "-", firm: true },
    { title: "PORTS", cell: ({ ports }) => ports.map(portText).join(",") || "-" },
    { title: "READY", cell: readyCell, firm: true },
    { title: "AGE", cell: ({ createdAt }) => (createdAt ? age(createdAt, clock.now()) : "-"), dropRank: 4 },
  ];
}

/** `80/TCP`, `80:30080/TCP` with a port of every node, `:10001/TCP` with nothing else; as kubectl writes them. */
export function portText({ port, nodePort, protocol }: ServicePortRow): string {
  return `${port ?? ""}${nodePort === undefined ? "" : `:${nodePort}`}/${protocol}`;
}

/** Connections to a service that nobody answers are refused. */
function readyCell({ type, ready, endpoints }: ServiceRow): string | Cell {
  if (type === "ExternalName") return "-";
  const text = `${ready}/${endpoints}`;
  return ready === 0 ? { text, color: "red" } : ready < endpoints ? { text, color: "yellow" } : text;
}
