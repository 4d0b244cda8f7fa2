import type { Command } from "commander";
import type { RestoreReport } from "../app/restore/restore.ts";
import type { Options, Settings } from "../app/settings.ts";
import type { StyrClient } from "../client/styr-client.ts";
import type { UnlistedThings } from "../model/restoration.ts";
import { type RestorationReport, type RestoredNode, thingsWords } from "../model/restoration-report.ts";
import { caWords, inArchiveWords, wholeOf } from "./archive-words.ts";
import { ask } from "./ask.ts";
import { CliFailure } from "./failure.ts";
import { plainLines, plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";
import { inWords, settingsHere, untilStopped, withStore } from "./up.ts";

const PATH = "/styr/v1/restoration";

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("restore")
    .description(
      "Make a control plane that is not there yet from a backup; see and confirm what a restored one holds back.",
    )
    .argument("<file>", "as styr backup wrote it")
    .option("--state <dir>", "where the new control plane keeps everything (root: /var/lib/styrmann)");
  withStore(command).action(async (file: string, options: Options) => {
    await inArchiveWords(() => inWords(() => restoreHere(terminal, file, options)));
  });
  command
    .command("status")
    .description("What runs and is not in the restored state, and what waits.")
    .action(async (_options: object, sub: Command) => {
      const client = openSession(sub, terminal);
      sayReport(terminal, await client.request<RestorationReport>("GET", PATH));
    });
  command
    .command("confirm")
    .description("The restored state is the one that counts: what it does not know is stopped, what waits is started.")
    .option("--stop-unknown", "do not ask before pods that it does not know are stopped")
    .action(async ({ stopUnknown }: { readonly stopUnknown?: true }, sub: Command) => {
      await confirm(terminal, openSession(sub, terminal), stopUnknown === true);
    });
}

async function restoreHere(terminal: Terminal, file: string, options: Options): Promise<void> {
  const { restoreFile } = await import("../app/restore/restore-file.ts");
  const settings = await settingsHere(options);
  const report = await restoreFile(file, settings, (rows) => progress(terminal, rows), untilStopped(terminal));
  if (terminal.isErrorTerminal) terminal.err("\r\u001b[K");
  sayRestored(terminal, report, settings);
}

function progress(terminal: Terminal, rows: number): void {
  if (terminal.isErrorTerminal) terminal.err(`\r${rows} objects `);
}

function sayRestored(
  terminal: Terminal,
  { header, bytes, store, notes, options, ca }: RestoreReport & { readonly bytes: number; readonly options: string },
  { stateDir, isDefaultState, socketPath }: Settings,
): void {
  terminal.out(`restored into ${plainText(store)}: ${wholeOf(header, bytes)}\n`);
  terminal.out(caWords({ ...(ca ? { ca } : {}) }));
  for (const note of notes) terminal.out(`note: ${plainText(note)}\n`);
  const state = isDefaultState ? "" : ` --state ${stateDir}`;
  const server = isDefaultState ? "" : ` --server unix://${socketPath}`;
  const next = `styr up${state}${options} (or styr server); then styr restore status${server}, and styr restore confirm${server}`;
  terminal.err(
    `Nothing that runs is stopped until you confirm it. Users, tokens and rights are as they were at ${plainText(header.time)}.\n` +
      `next: ${terminal.asTyped(next)}\n`,
  );
}

function sayReport(terminal: Terminal, report: RestorationReport): void {
  terminal.out(`${plainLines(linesOf(report).join("\n"))}\n`);
  const next = "styr apply what is missing, so that it is known again; then styr restore confirm";
  if (report.restoration?.state === "held") terminal.err(`next: ${terminal.asTyped(next)}\n`);
}

export function linesOf({ restoration, nodes, network = [] }: RestorationReport): readonly string[] {
  if (restoration === null) return ["this control plane was not restored from a backup"];
  const { restoredAt, backupTime, confirmedAt, confirmedBy } = restoration;
  const head = `restored ${restoredAt} from a backup of ${backupTime}`;
  if (restoration.state === "confirmed") return [`${head}; confirmed ${confirmedAt} by ${confirmedBy}`];
  const words = `${head}; not confirmed: nothing that runs is stopped, and no Service, policy or route taken away`;
  return [words, ...linesOfNetwork(network), ...nodes.flatMap(linesOfNode)];
}

function linesOfNetwork(network: readonly UnlistedThings[]): readonly string[] {
  if (network.length === 0) return [];
  return [
    `in force on nodes, and not in the restored state or otherwise there: ${thingsWords(network)}:`,
    ...network.flatMap(({ kind, count, names }) => [
      ...names.map((name) => `    ${kind} ${name}`),
      ...more(count, names.length),
    ]),
  ];
}

function more(all: number, named: number): readonly string[] {
  return all > named ? [`    and ${all - named} more`] : [];
}

function linesOfNode({ name, unlisted, isStranger }: RestoredNode): readonly string[] {
  if (isStranger)
    return [
      `${name}: comes, and goes as soon as it sees this server's CA: the backup seems to be older than a change of the CA. What runs there goes on; it has to join again: styr token create --role agent`,
    ];
  if (!unlisted) return [`${name}: has not said yet what runs there`];
  const { kept, keptPods, waiting, waitingPods } = unlisted;
  if (kept + waiting === 0) return [`${name}: all that runs is known`];
  return [
    ...(kept === 0
      ? []
      : [`${name}: ${kept === 1 ? "1 pod runs" : `${kept} pods run`} that the restored state does not know:`]),
    ...keptPods.map(
      ({ key, uid, since }) => `    ${key ?? `pod ${uid}`}${since === undefined ? "" : ` (since ${since})`}`,
    ),
    ...more(kept, keptPods.length),
    ...(waiting === 0
      ? []
      : [`${name}: ${waiting === 1 ? "1 pod" : `${waiting} pods`} of which there may be one only, not started:`]),
    ...waitingPods.map((key) => `    ${key}`),
    ...more(waiting, waitingPods.length),
  ];
}

async function confirm(terminal: Terminal, client: StyrClient, stopUnknown: boolean): Promise<void> {
  const report = await client.request<RestorationReport>("GET", PATH);
  if (report.restoration?.state !== "held")
    throw new CliFailure("nothing waits to be confirmed: this control plane is not one just restored");
  terminal.out(`${plainLines(linesOf(report).join("\n"))}\n`);
  const kept = report.nodes.reduce((sum, { unlisted }) => sum + (unlisted?.kept ?? 0), 0);
  const silent = report.nodes.filter(({ unlisted }) => unlisted === undefined).length;
  const lost = report.network ?? [];
  const isHarmless = kept + silent + lost.length === 0;
  const doomed = [`${kept} pods`, ...(lost.length === 0 ? [] : [thingsWords(lost)])].join(", ");
  const question = `stop and take away what the restored state does not know (${doomed}${silent === 0 ? "" : `, and what ${silent} silent nodes run`})?`;
  if (!isHarmless && !stopUnknown && !(await ask(terminal, question))) {
    const next = "styr restore confirm --stop-unknown, when that is what is meant";
    const loss = lost.length === 0 ? "" : `, and ${thingsWords(lost)} taken away`;
    throw new CliFailure(`not confirmed: pods would be stopped${loss}`, { next });
  }
  await client.request("POST", `${PATH}/confirm`, { stopUnknown: !isHarmless });
  terminal.out("confirmed: the restored state is the one that counts\n");
}
