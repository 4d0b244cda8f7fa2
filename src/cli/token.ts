import type { Command } from "commander";
import { createJoinToken, listJoinTokens, revokeJoinToken } from "../client/trust.ts";
import { humanDuration, parseDurationMs } from "../lib/duration.ts";
import type { JoinTokenReport, NewJoinToken } from "../model/trust-reports.ts";
import { CliFailure } from "./failure.ts";
import { documentOption } from "./inspect.ts";
import { renderYaml } from "./listing.ts";
import { plainJson, plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import { type Column, renderTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** As the server has them (api/tokens.ts). */
const MOST_TTL_MS = 30 * 86_400_000;
const MOST_USES = 1000;

interface CreateOptions {
  readonly role: string;
  readonly ttl: string;
  readonly uses: string;
}

export function register(program: Command, terminal: Terminal): void {
  const token = program.command("token").description("What lets further hosts join this cluster.");
  token
    .command("create")
    .description("Print the line to paste on the host that is to join. The secret in it is shown this once.")
    .requiredOption("--role <role>", "agent: runs pods; server: is part of the control plane too")
    .option("--ttl <duration>", "how long it is good for, up to 30d", "1h")
    .option("--uses <count>", "how many hosts it is good for", "1")
    .action(async (options: CreateOptions, command: Command) => {
      const wish = { role: options.role, ttlMs: durationOf(options.ttl), uses: countOf(options.uses) };
      sayToken(terminal, await createJoinToken(openSession(command, terminal), wish), wish.ttlMs);
    });
  token
    .command("list")
    .description("Tokens there are, and who joined with them.")
    .addOption(documentOption("text"))
    .action(async ({ output }: { output: string }, command: Command) => {
      await show(terminal, await listJoinTokens(openSession(command, terminal)), output);
    });
  token
    .command("revoke")
    .description("No further host joins with it; those that have joined stay.")
    .argument("<id>", "as styr token list shows it")
    .action(async (id: string, _options: object, command: Command) => {
      await revokeJoinToken(openSession(command, terminal), id);
      terminal.out(`token ${plainText(id)} revoked\n`);
    });
}

/** The line alone on standard output, so that it can be piped. */
function sayToken(terminal: Terminal, made: NewJoinToken, ttlMs: number): void {
  const [first = "", ...others] = made.servers;
  const hosts = made.uses === 1 ? "one host" : `${made.uses} hosts`;
  terminal.err(`On the host that is to join as ${made.role} (good for ${hosts}, for ${humanDuration(ttlMs)}):\n`);
  // Where this host finds no `styr` on its path, the other one most likely does not, either.
  terminal.out(`${terminal.asTyped(`styr join ${first} --token ${made.token}`)}\n`);
  if (others.length > 0) terminal.err(`other servers it can join at: ${others.join(" ")}\n`);
  terminal.err(`next: ${terminal.asTyped(`styr token revoke ${made.id}`)} takes it back\n`);
}

function durationOf(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= 1000 && ms <= MOST_TTL_MS) return Math.round(ms);
  throw new CliFailure(`--ttl ${text}: give a duration such as 30m, 1h or 2d, of at most 30d`);
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= MOST_USES) return Number(text);
  throw new CliFailure(`--uses ${text}: give a number of hosts, from 1 to ${MOST_USES}`);
}

async function show(terminal: Terminal, tokens: readonly JoinTokenReport[], output: string): Promise<void> {
  if (output === "json") return terminal.out(`${plainJson(JSON.stringify(tokens, null, 2))}\n`);
  if (output === "yaml") return terminal.out(await renderYaml(tokens));
  if (tokens.length === 0) {
    const hint = terminal.asTyped("styr token create --role agent");
    return terminal.out(`there are no join tokens; make one: ${hint}\n`);
  }
  const { columns: width, colors } = terminal;
  terminal.out(`${renderTable(columnsAt(terminal.clock.now()), tokens, { width, colors })}\n`);
}

function columnsAt(nowMs: number): readonly Column<JoinTokenReport>[] {
  const left = ({ expiresAt }: JoinTokenReport) => Date.parse(expiresAt) - nowMs;
  return [
    { title: "ID", cell: ({ id }) => id, firm: true },
    { title: "ROLE", cell: ({ role }) => role, firm: true },
    {
      title: "STATE",
      cell: ({ state }) => ({ text: state, ...(state === "good" ? { color: "green" as const } : {}) }),
      firm: true,
    },
    {
      title: "EXPIRES",
      cell: (row) => (left(row) > 0 ? `in ${humanDuration(left(row))}` : `${humanDuration(-left(row))} ago`),
    },
    { title: "USED", cell: ({ uses, usedBy }) => `${usedBy.length} of ${uses}` },
    { title: "BY", cell: ({ usedBy }) => usedBy.join(",") },
    { title: "MADE BY", cell: ({ madeBy }) => madeBy, dropRank: 1 },
  ];
}
