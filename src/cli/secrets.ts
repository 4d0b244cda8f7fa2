import { resolve } from "node:path";
import type { Command } from "commander";
import type { SealingReport } from "../model/sealing-report.ts";
import { CliFailure } from "./failure.ts";
import { plainLines } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

const PATH = "/styr/v1/keys";

interface RekeyFlags {
  readonly newKeyFile?: string;
  readonly newPassphraseFile?: string;
}

export function register(program: Command, terminal: Terminal): void {
  const secrets = program
    .command("secrets")
    .description("The keys that secrets are encrypted with in the store and in backups.");
  const ask = (method: string, path: string, command: Command, body?: unknown) =>
    openSession(command, terminal).request<SealingReport>(method, path, body);
  secrets
    .command("status")
    .description("Which keys there are, and how much lies under each.")
    .option("-o, --output <format>", "text or json", "text")
    .action(async ({ output }: { readonly output: string }, command: Command) => {
      const report = await ask("GET", PATH, command);
      terminal.out(output === "json" ? `${JSON.stringify(report, undefined, 2)}\n` : textOf(report));
    });
  secrets
    .command("rotate")
    .description("Encrypt everything with a new data key, in the background; the old one goes when nothing needs it.")
    .action(async (_options: object, command: Command) => {
      terminal.out(textOf(await ask("POST", `${PATH}/rotate`, command)));
      terminal.err(`next: ${terminal.asTyped("styr secrets status")}\n`);
    });
  secrets
    .command("rekey")
    .description("Wrap the data keys by another master key: a file on the host of the server that leads.")
    .option("--new-key-file <file>", "32 random bytes; they are copied to pki/master.key")
    .option(
      "--new-passphrase-file <file>",
      "a passphrase on its first line; the file stays where it is, and is read at every start",
    )
    .action(async (flags: RekeyFlags, command: Command) => {
      const report = await ask("POST", `${PATH}/rekey`, command, bodyOf(flags));
      terminal.out(textOf(report));
      sayRekeyed(terminal, report);
    });
}

function bodyOf({ newKeyFile, newPassphraseFile }: RekeyFlags): object {
  if ((newKeyFile === undefined) === (newPassphraseFile === undefined))
    throw new CliFailure("give --new-key-file FILE or --new-passphrase-file FILE");
  return newKeyFile === undefined
    ? { passphraseFile: resolve(String(newPassphraseFile)) }
    : { keyFile: resolve(newKeyFile) };
}

function sayRekeyed(terminal: Terminal, { master }: SealingReport): void {
  const copy =
    master.type === "file"
      ? "Other servers need the new key before their next start: copy pki/master.key of this one there."
      : "Other servers need the same file, at the same path, before their next start.";
  terminal.err(
    `${copy}\nThe old key is kept beside it as pki/master.key.old-…: backups made until now open with that one only.\n` +
      `next: ${terminal.asTyped("styr backup FILE; styr secrets rotate, if somebody else has seen the old key")}\n`,
  );
}

function textOf({ master, server, keys, rows, clear, kinds }: SealingReport): string {
  const counts = Object.entries(kinds)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, count]) => `${count} ${kind}`);
  const lines = [
    `master key  ${master.id} (${master.type}), ${[master.where || "nobody has said where", ...(server === undefined ? [] : [server])].join(" on ")}`,
    ...keys.map(
      ({ id, madeAt, isPrimary, rows: under }) =>
        `data key    ${id} of ${madeAt}: ${counted(under)}${isPrimary ? ", the one that is written with" : ", being replaced"}`,
    ),
    `sealed      ${rows - clear} of ${counted(rows)}${counts.length === 0 ? "" : `: ${counts.join(", ")}`}`,
    ...(clear === 0 ? [] : [`in clear    ${clear}, of an earlier version; they are being sealed`]),
  ];
  return `${plainLines(lines.join("\n"))}\n`;
}

function counted(objects: number): string {
  return objects === 1 ? "1 object" : `${objects} objects`;
}
