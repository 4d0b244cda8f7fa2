import type { Command } from "commander";
import type { Received } from "../app/backup/receive-backup.ts";
import { refusal } from "../client/styr-client.ts";
import { amountOf, caWords, inArchiveWords, wholeOf } from "./archive-words.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

interface BackupFlags {
  readonly force?: true;
  readonly check?: true;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("backup")
    .description("Write everything that the cluster knows to a file, while it goes on; or check such a file.")
    .argument("<file>", "where to; - for standard output")
    .option("--force", "replace a file that is there")
    .option("--check", "read the file, and say whether it is whole and what is in it")
    .action(async (file: string, flags: BackupFlags, command: Command) => {
      await inArchiveWords(() => (flags.check ? check(terminal, file) : backup(terminal, file, flags, command)));
    });
}

async function check(terminal: Terminal, file: string): Promise<void> {
  const { checkBackup } = await import("../app/backup/check-backup.ts");
  const { header, bytes, kinds } = await checkBackup(file);
  terminal.out(`${plainText(file)} is whole: ${wholeOf(header, bytes)}\n`);
  const counts = [...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${count} ${kind}`);
  terminal.out(`  ${plainText(counts.join(", "))}\n`);
  terminal.out(caWords(header));
  if (header.masterKey !== undefined)
    terminal.out(`  its secrets open with master key ${plainText(header.masterKey)}\n`);
}

async function backup(terminal: Terminal, file: string, { force }: BackupFlags, command: Command): Promise<void> {
  const { passOn, receiveBackup, refuseToReplace } = await import("../app/backup/receive-backup.ts");
  refuseToReplace(file, force === true);
  const { connection } = openSession(command, terminal);
  const response = await connection.open({ method: "GET", path: "/styr/v1/backup" });
  if (response.statusCode !== 200) {
    const text = (await response.setEncoding("utf8").toArray()).join("");
    throw refusal(response.statusCode ?? 0, text);
  }
  const progress = progressOn(terminal);
  const write = (bytes: Uint8Array) => terminal.write("stdout", bytes);
  try {
    const options = { force: force === true, progress };
    const received =
      file === "-" ? await passOn(response, write, progress) : await receiveBackup(response, file, options);
    sayDone(terminal, file, received);
  } finally {
    // Whatever is left of it is not read: the connection must not keep the process.
    response.destroy();
  }
}

const EVERY_BYTES = 4 * 2 ** 20;

function progressOn(terminal: Terminal): (bytes: number) => void {
  let said = 0;
  return (bytes) => {
    if (!terminal.isErrorTerminal || bytes - said < EVERY_BYTES) return;
    said = bytes;
    terminal.err(`\r${amountOf(bytes)} `);
  };
}

function sayDone(terminal: Terminal, file: string, { header, bytes }: Received): void {
  if (terminal.isErrorTerminal && bytes >= EVERY_BYTES) terminal.err("\r\u001b[K");
  const where = file === "-" ? "the backup" : plainText(file);
  const line = `${where}: ${wholeOf(header, bytes)}\n`;
  if (file === "-") terminal.err(line);
  else terminal.out(line);
  terminal.err(
    `keep the master key (pki/master.key of a server) somewhere else: without it no secret in the backup opens\n` +
      `next: ${terminal.asTyped(`styr backup --check ${file === "-" ? "FILE" : plainText(file)}; styr restore FILE, where there is no cluster yet, makes one of it`)}\n`,
  );
}
