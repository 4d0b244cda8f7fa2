import type { Command } from "commander";
import { Option } from "commander";
import type { StyrClient } from "../client/styr-client.ts";
import { parseDurationMs } from "../lib/duration.ts";
import type { AuditEntry } from "../model/user-reports.ts";
import { CliFailure } from "./failure.ts";
import { plainJson } from "./plain-text.ts";
import { openSession, untilInterrupted } from "./session.ts";
import { type Column, renderTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface AuditOptions {
  readonly since?: string;
  readonly actor?: string;
  readonly result?: string;
  readonly limit?: string;
  readonly follow?: boolean;
  readonly here?: boolean;
  readonly output: "table" | "json";
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("audit")
    .description("Who did what, from where, and what came of it: changes, commands, and what was refused. For admins.")
    .option("--since <duration>", "of the last 1h, 7d …")
    .option("--actor <name>", "of this user alone")
    .addOption(new Option("--result <result>", "with this result alone").choices(["done", "refused", "failed"]))
    .option("--limit <number>", "so many lines at most, the newest (1000)")
    .option("-f, --follow", "go on with what happens from now on")
    .option("--here", "of the server that is asked, not of the one that leads: what was refused or read there")
    .addOption(new Option("-o, --output <format>", "how to show it").choices(["table", "json"]).default("table"))
    .action(async (options: AuditOptions, command: Command) => {
      const client = openSession(command, terminal);
      if (options.follow) return follow(terminal, client, options);
      const { entries } = await client.request<{ entries: readonly AuditEntry[] }>("GET", pathOf(terminal, options));
      if (entries.length === 0 && options.output === "table") return terminal.err("nothing of that kind\n");
      // The newest last: it is what stays on the screen.
      show(terminal, entries.toReversed(), options, true);
    });
}

async function follow(terminal: Terminal, client: StyrClient, options: AuditOptions): Promise<void> {
  let isFirst = true;
  for await (const entry of client.stream<AuditEntry>(pathOf(terminal, options), untilInterrupted())) {
    show(terminal, [entry], options, isFirst);
    isFirst = false;
  }
}

function show(
  terminal: Terminal,
  entries: readonly AuditEntry[],
  { output, follow }: AuditOptions,
  header: boolean,
): void {
  if (output === "table") {
    const { columns: width, colors } = terminal;
    terminal.out(`${renderTable(COLUMNS, entries, { width, colors, header })}\n`);
  } else if (follow) for (const entry of entries) terminal.out(`${plainJson(JSON.stringify(entry))}\n`);
  else terminal.out(`${plainJson(JSON.stringify(entries, null, 2))}\n`);
}

function pathOf({ clock }: Terminal, { since, actor, result, limit, follow, here }: AuditOptions): string {
  const query = new URLSearchParams();
  if (since !== undefined) query.set("sinceMs", String(Math.max(0, Math.floor(clock.now() - agoMs(since)))));
  if (actor !== undefined) query.set("actor", actor);
  if (result !== undefined) query.set("result", result);
  if (limit !== undefined) query.set("limit", limit);
  if (follow) query.set("follow", "true");
  const path = here ? "/styr/v1/audit/here" : "/styr/v1/audit";
  return query.size === 0 ? path : `${path}?${query}`;
}

function agoMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined) throw new CliFailure(`--since ${text}: give a duration such as 1h or 7d`);
  return ms;
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: "TIME", cell: ({ time }) => time.replace(/\.\d+Z$/, "Z"), firm: true },
  { title: "ACTOR", cell: ({ actor, from }) => (actor === "" ? `nobody (${from})` : actor), firm: true },
  { title: "ROLES", cell: ({ roles }) => roles.join(","), dropRank: 3 },
  { title: "FROM", cell: ({ from, via }) => (via === undefined ? from : `${from} via ${via}`), dropRank: 2 },
  { title: "VERB", cell: ({ verb }) => verb, dropRank: 1 },
  { title: "WHAT", cell: ({ method, path }) => `${method} ${path}` },
  {
    title: "RESULT",
    cell: ({ result, status, reason, leftOut }) => {
      const why = reason === undefined ? String(status) : reason;
      const more = leftOut === undefined ? "" : `, and ${leftOut} more`;
      return result === "done" ? String(status) : { text: `${result}: ${why}${more}`, color: "red" };
    },
    firm: true,
  },
];
