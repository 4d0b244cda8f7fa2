/** `styr user token …` and `styr user kubeconfig`: secrets go to standard output, once, and what to do with them beside it. */
import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { parseDurationMs } from "../lib/duration.ts";
import type { NewUserToken, UserReport, UserTokenReport } from "../model/user-reports.ts";
import { CliFailure } from "./failure.ts";
import { documentOption } from "./inspect.ts";
import { renderYaml } from "./listing.ts";
import { plainJson } from "./plain-text.ts";
import { openSession } from "./session.ts";
import { type Column, renderTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { userPath } from "./user-path.ts";

interface NewTokenOptions {
  readonly ttl?: string;
  readonly about?: string;
  readonly caFile?: string;
}

const TTL_WORDS = "how long it is good: 12h, 30d, or never (90d)";

export function registerUserTokens(user: Command, terminal: Terminal): void {
  const token = user.command("token").description("Tokens of a user. Only their hashes are kept.");
  for (const add of [create, list, revoke]) add(token, terminal);
  kubeconfigOf(user, terminal);
}

function create(token: Command, terminal: Terminal): void {
  token
    .command("create")
    .description("A new token, shown this once: alone on standard output.")
    .argument("<name>")
    .option("--ttl <duration>", TTL_WORDS)
    .option("--about <text>", "what it is for")
    .option("--ca-file <file>", "write the cluster's CA there, for STYR_CA")
    .action(async (name: string, options: NewTokenOptions, command: Command) => {
      const made = await newToken(command, terminal, name, options);
      if (options.caFile !== undefined) await writeCa(options.caFile, made);
      terminal.out(`${made.token}\n`);
      terminal.err(howToUse(made, options.caFile));
    });
}

function list(token: Command, terminal: Terminal): void {
  token
    .command("list")
    .description("Ids of a user's tokens, what they are for, and until when they are good.")
    .argument("<name>")
    .addOption(documentOption("text"))
    .action(async (name: string, { output }: { output: string }, command: Command) => {
      const { tokens } = await openSession(command, terminal).request<UserReport>("GET", userPath(name));
      if (output === "json") return terminal.out(`${plainJson(JSON.stringify(tokens, null, 2))}\n`);
      if (output === "yaml") return terminal.out(await renderYaml(tokens));
      if (tokens.length === 0) return terminal.err(`"${name}" has no token\n`);
      terminal.out(`${renderTable(TOKEN_COLUMNS, tokens, { width: terminal.columns, colors: terminal.colors })}\n`);
    });
}

function revoke(token: Command, terminal: Terminal): void {
  token
    .command("revoke")
    .description("Takes a token back, at once; what the user has open is cut.")
    .argument("<name>")
    .argument("<id>", "as styr user token list shows it")
    .action(async (name: string, id: string, _options: object, command: Command) => {
      await openSession(command, terminal).request("DELETE", `${userPath(name)}/tokens/${encodeURIComponent(id)}`);
      terminal.out(`token ${id} of ${name} revoked\n`);
    });
}

function kubeconfigOf(user: Command, terminal: Terminal): void {
  user
    .command("kubeconfig")
    .description("Makes a token and prints a kubeconfig with it: styr user kubeconfig anna > anna.kubeconfig")
    .argument("<name>")
    .option("--ttl <duration>", TTL_WORDS)
    .action(async (name: string, options: NewTokenOptions, command: Command) => {
      const made = await newToken(command, terminal, name, { about: "kubeconfig", ...options });
      terminal.out(await renderYaml(kubeconfig(made)));
      terminal.err(
        "for client libraries of Kubernetes; kubectl itself needs parts of the API that are not there yet\n",
      );
    });
}

async function newToken(
  command: Command,
  terminal: Terminal,
  name: string,
  { ttl, about }: NewTokenOptions,
): Promise<NewUserToken> {
  const body = { ...(ttl === undefined ? {} : { ttlMs: ttlOf(ttl) }), ...(about === undefined ? {} : { about }) };
  return openSession(command, terminal).request<NewUserToken>("POST", `${userPath(name)}/tokens`, body);
}

/** null: it does not expire. */
function ttlOf(text: string): number | null {
  if (text === "never") return null;
  const ms = parseDurationMs(text);
  if (ms === undefined || ms < 1000)
    throw new CliFailure(`--ttl ${text}: give a duration such as 12h or 30d, or never`);
  return Math.floor(ms);
}

async function writeCa(file: string, { caPem }: NewUserToken): Promise<void> {
  if (caPem === undefined) throw new CliFailure("the server did not say which CA it has; copy pki/ca.crt from there");
  await writeFile(file, caPem);
}

function howToUse({ user, expiresAt, servers }: NewUserToken, caFile = "ca.crt"): string {
  return [
    `This is the only time that the token of ${user} is shown. It ${expiresAt === undefined ? "does not expire" : `is good until ${expiresAt}`}.`,
    "To use it from anywhere:",
    `  export STYR_SERVER=${servers[0] ?? "https://HOST:7443"}`,
    "  export STYR_TOKEN=…           the line above",
    `  export STYR_CA=${caFile}          the cluster's CA (--ca-file ${caFile} writes it; pki/ca.crt of a server)`,
    "",
  ].join("\n");
}

function kubeconfig({ user, token, servers, caPem }: NewUserToken): object {
  const [server] = servers;
  if (server === undefined || caPem === undefined)
    throw new CliFailure("the server did not say under which address and CA others reach it; ask over https://");
  const name = "styrmann";
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": Buffer.from(caPem).toString("base64") } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name, context: { cluster: name, user } }],
    "current-context": name,
  };
}

const TOKEN_COLUMNS: readonly Column<UserTokenReport>[] = [
  { title: "ID", cell: ({ id }) => id, firm: true },
  { title: "MADE", cell: ({ madeAt }) => madeAt, firm: true },
  {
    title: "GOOD UNTIL",
    cell: ({ expiresAt, isExpired }) =>
      isExpired ? { text: `${expiresAt} (expired)`, color: "red" } : (expiresAt ?? "for ever"),
    firm: true,
  },
  { title: "ABOUT", cell: ({ about }) => about ?? "" },
];
