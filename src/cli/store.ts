import type { Command } from "commander";
import type { Options } from "../app/settings.ts";
import { inArchiveWords } from "./archive-words.ts";
import { CliFailure } from "./failure.ts";
import { plainText } from "./plain-text.ts";
import type { Terminal } from "./terminal.ts";
import { inWords, settingsHere, untilStopped } from "./up.ts";

const STATE = ["--state <dir>", "of the server (root: /var/lib/styrmann)"] as const;
const MASTER_KEY = [
  "--master-key-file <file>",
  "the key that secrets are sealed with (default: as remembered)",
] as const;
const PASSPHRASE = ["--passphrase-file <file>", "a passphrase instead, on the first line"] as const;

export function register(program: Command, terminal: Terminal): void {
  const store = program
    .command("store")
    .description("The store of a server that is stopped: move it to another one, check it.");
  store
    .command("migrate")
    .description("Move everything to another store, sqlite or etcd, while no server runs; pods run on.")
    .requiredOption("--to <store>", "sqlite, or etcd://HOST:PORT,HOST:PORT")
    .option(...STATE)
    .option("--store-ca <file>", "the CA of the etcd members; TLS is spoken with them")
    .option("--store-cert <file>", "with which this server proves itself to etcd")
    .option("--store-key <file>", "the key of --store-cert")
    .option("--store-user <name>", "a user of etcd")
    .option("--store-password-file <file>", "its password, on the first line")
    .option("--store-prefix <path>", "every key in etcd begins with it (default: /styrmann/)")
    .action(async ({ to, ...options }: Options & { readonly to: string }) => {
      await inArchiveWords(() => inWords(() => migrateHere(terminal, { ...options, store: to })));
    });
  store
    .command("check")
    .description("Read every object of the store and open every secret, changing nothing.")
    .option(...STATE)
    .option(...MASTER_KEY)
    .option(...PASSPHRASE)
    .action(async (options: Options) => {
      await inArchiveWords(() => inWords(() => checkHere(terminal, options)));
    });
}

async function migrateHere(terminal: Terminal, options: Options): Promise<void> {
  const { migrate } = await import("../app/migrate/migrate.ts");
  const { storeSurroundings } = await import("../app/migrate/store-surroundings.ts");
  const settings = await settingsHere(options);
  const { store: to, socketPath } = settings;
  if (!to) throw new CliFailure("--to: give sqlite, or etcd://HOST:PORT,HOST:PORT");
  const progress = (rows: number, of: number) => {
    if (terminal.isErrorTerminal) terminal.err(`\r${rows} of ${of} objects `);
  };
  const around = { ...storeSurroundings(settings), interrupted: untilStopped(terminal) };
  const report = await migrate({ to, socketPath, around, progress });
  if (terminal.isErrorTerminal) terminal.err("\r\u001b[K");
  terminal.out(
    `moved ${report.rows} objects from ${plainText(report.from)} to ${plainText(report.to)}, and compared them\n`,
  );
  const state = settings.isDefaultState ? "" : ` --state ${settings.stateDir}`;
  terminal.err(
    `The old store is kept. When all is well, remove it: ${plainText(report.oldStore)}\n` +
      `next: ${terminal.asTyped(`styr up${state} (or styr server${state}); it remembers the new store`)}\n`,
  );
}

async function checkHere(terminal: Terminal, options: Options): Promise<void> {
  const { checkStore } = await import("../app/migrate/check-store.ts");
  const { name, revision, rows, sealed, problems } = await checkStore(await settingsHere(options));
  for (const problem of problems) terminal.out(`${plainText(problem)}\n`);
  const whole = `${plainText(name)}: ${rows} objects at revision ${revision}, ${sealed} of them sealed`;
  if (problems.length === 0) return terminal.out(`${whole}; all can be read\n`);
  throw new CliFailure(`${whole}; ${problems.length} cannot be read`, {
    next: "styr restore FILE, from the last backup",
  });
}
