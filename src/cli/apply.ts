import { type Command, Option } from "commander";
import type { Connection } from "../client/connection.ts";
import { checkUnit } from "../client/dialects/fleet.ts";
import { checkObject, knowsKind, namespaceOf } from "../client/dialects/kubernetes.ts";
import { runningDeployments } from "../client/dialects/marathon.ts";
import type { StyrClient } from "../client/styr-client.ts";
import { parseDurationMs } from "../lib/duration.ts";
import { fullName } from "../model/workload-name.ts";
import { type Item, itemTitle, placeText } from "./apply/item.ts";
import { isPassing, judgeAnew } from "./apply/judge-anew.ts";
import { orderBatch } from "./apply/plan-batch.ts";
import { readInputs } from "./apply/read-inputs.ts";
import { type Sent, send } from "./apply/send.ts";
import { curlWords } from "./curl-words.ts";
import { CliFailure, EXIT } from "./failure.ts";
import { Screen } from "./listing.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import { paint, type Terminal } from "./terminal.ts";
import type { Judged, WaitTarget } from "./wait/judge.ts";
import { waitFor } from "./wait/wait.ts";
import { workloadTable } from "./workload-columns.ts";

interface ApplyOptions {
  readonly file?: readonly string[];
  readonly recursive?: boolean;
  readonly name?: string;
  readonly wait: boolean;
  readonly timeout: string;
  readonly output?: "name";
}

/** Requests under way at once: enough to fill the server's batches, few enough to leave room for others. */
const CONCURRENCY = 16;
/** With more objects than this, only what changed is counted, not listed. */
const MOST_LISTED = 100;
const MOST_ERRORS_SHOWN = 20;

export function register(program: Command, terminal: Terminal): void {
  program
    .command("apply")
    .description(
      "Give the cluster a file as you have it: a fleet unit, a Marathon app (JSON) or Kubernetes objects (YAML, JSON).\n" +
        "What it is, is told from its content. Everything is read before anything is sent.",
    )
    .argument("[files...]", "files, folders, URLs, - for standard input, or instances (hello@1.service)")
    .option("-f, --file <file>", "the same, for each -f", (file: string, all: string[] = []) => [...all, file])
    .option("-R, --recursive", "folders within folders too")
    .option("--name <unit>", "name of a unit that comes from standard input")
    .option("--no-wait", "do not wait until it runs")
    .option("--timeout <duration>", "how long to wait at most", "5m")
    .addOption(
      new Option("-o, --output <format>", "`name`: only the names of what was applied, as ps -o name has them").choices(
        ["name"],
      ),
    )
    .action(async (files: string[], options: ApplyOptions, command: Command) => {
      await apply(terminal, openSession(command, terminal), [...(options.file ?? []), ...files], options);
    });
}

async function apply(
  terminal: Terminal,
  client: StyrClient,
  args: readonly string[],
  options: ApplyOptions,
): Promise<void> {
  if (args.length === 0) throw new CliFailure("give a file: styr apply -f FILE (or a folder, a URL, or - for input)");
  const timeoutMs = parseDurationMs(options.timeout);
  if (timeoutMs === undefined) throw new CliFailure(`--timeout ${options.timeout}: give a duration such as 90s or 5m`);
  const stages = await recognised(args, terminal, options);
  const items = stages.flat();
  for (const { warnings } of items) for (const text of warnings) warn(terminal, text);
  await checkKinds(client.connection, items);
  await checkObjects(terminal, client.connection, items);

  const outcome = await sendAll(terminal, client.connection, stages);
  report(terminal, outcome, options);
  const waited =
    options.wait && outcome.targets.length > 0 ? await wait(terminal, client, outcome, timeoutMs, options) : EXIT.done;
  if (outcome.failures > 0) {
    const rest = outcome.failures === items.length ? "nothing was changed" : "the rest was applied";
    throw new CliFailure(`${outcome.failures} of ${items.length} could not be applied; ${rest}`);
  }
  if (waited !== EXIT.done) throw new CliFailure("", { exitCode: waited });
}

/** Reads everything before anything is sent: a bad file changes nothing. */
async function recognised(args: readonly string[], terminal: Terminal, options: ApplyOptions) {
  try {
    const name = options.name === undefined ? {} : { name: options.name };
    return orderBatch(await readInputs(args, terminal.stdin, { recursive: options.recursive ?? false, ...name }));
  } catch (error) {
    if ((error as Error).name !== "InputError") throw error;
    throw new CliFailure(`${(error as Error).message}\nnothing was changed`);
  }
}

function warn(terminal: Terminal, text: string): void {
  terminal.err(`${paint("warning:", "yellow", terminal.colors)} ${plainText(text)}\n`);
}

/** Kinds that the server does not have are found before anything is sent. */
async function checkKinds(connection: Connection, items: readonly Item[]): Promise<void> {
  const checked = new Set<string>();
  for (const item of items) {
    if (item.dialect !== "kubernetes") continue;
    const { apiVersion, kind } = item.object;
    if (checked.has(`${apiVersion} ${kind}`)) continue;
    checked.add(`${apiVersion} ${kind}`);
    if (await knowsKind(connection, apiVersion, kind)) continue;
    const where = placeText(item.place);
    throw new CliFailure(`${where}: kind: this server has no ${kind} in ${apiVersion}\nnothing was changed`);
  }
}

/**
 * Kubernetes and fleet can be asked what they would refuse. Objects of a namespace that the same batch makes cannot be
 * asked about before it is there; Marathon has no such question.
 */
async function checkObjects(terminal: Terminal, connection: Connection, items: readonly Item[]): Promise<void> {
  const made = new Set(
    items.flatMap((item) =>
      item.dialect === "kubernetes" && item.object.kind === "Namespace" ? (item.object.metadata.name ?? "") : [],
    ),
  );
  const problems: string[] = [];
  await inParallel(items, CONCURRENCY, async (item) => {
    try {
      if (item.dialect === "fleet") await judgeAnew(terminal.clock, () => checkUnit(connection, item));
      if (item.dialect === "kubernetes" && !made.has(namespaceOf(item.object)))
        await judgeAnew(terminal.clock, () => checkObject(connection, item.object));
    } catch (error) {
      if ((error as { status?: number }).status === undefined) throw error;
      // Nobody has judged it.
      if (isPassing(error))
        throw new CliFailure(`${(error as Error).message}\nnothing was sent yet, so nothing was changed`);
      problems.push(`${placeText(item.place)}: ${refusalText(item, error as Error)}`);
    }
  });
  if (problems.length === 0) return;
  for (const text of problems.slice(0, MOST_ERRORS_SHOWN)) terminal.err(`${text}\n`);
  if (problems.length > MOST_ERRORS_SHOWN) terminal.err(`… and ${problems.length - MOST_ERRORS_SHOWN} more errors\n`);
  throw new CliFailure(`${problems.length} of ${items.length} would be refused; nothing was changed`);
}

interface Outcome {
  readonly sent: readonly { readonly item: Item; readonly result: Sent }[];
  readonly failures: number;
  readonly targets: readonly WaitTarget[];
  readonly deployments: readonly string[];
}

async function sendAll(
  terminal: Terminal,
  connection: Connection,
  stages: readonly (readonly Item[])[],
): Promise<Outcome> {
  const batch = new Set(stages.flat().flatMap((item) => (item.dialect === "fleet" ? [item.name] : [])));
  const total = stages.flat().length;
  const sent: { item: Item; result: Sent }[] = [];
  let failures = 0;
  const screen = new Screen(terminal);
  const sendOne = async (item: Item) => {
    try {
      sent.push({ item, result: await send(connection, item, batch) });
    } catch (error) {
      // No answer at all concerns everything; a refusal concerns this item.
      if ((error as { status?: number }).status === undefined) throw error;
      failures++;
      screen.clear();
      if (failures <= MOST_ERRORS_SHOWN)
        terminal.err(`${placeText(item.place)}: ${refusalText(item, error as Error)}\n`);
    }
    if (terminal.isTerminal && total > 20 && sent.length % 10 === 0) screen.draw(`applied ${sent.length} of ${total}`);
  };
  for (const stage of stages) await inParallel(stage, CONCURRENCY, sendOne);
  screen.clear();
  const order = new Map(stages.flat().map((item, at) => [item, at]));
  sent.sort((a, b) => (order.get(a.item) ?? 0) - (order.get(b.item) ?? 0));
  if (failures > MOST_ERRORS_SHOWN) terminal.err(`… and ${failures - MOST_ERRORS_SHOWN} more errors\n`);
  const targets = sent.flatMap(({ result }) => result.waitsFor);
  const deployments = sent.flatMap(({ result }) => result.deployment ?? []);
  return { sent, failures, targets, deployments };
}

function refusalText(item: Item, error: Error): string {
  // Kubernetes names the object itself.
  const names = item.dialect === "kubernetes" && error.message.includes(`"${item.object.metadata.name}"`);
  return plainText(names ? error.message : `${itemTitle(item)}: ${error.message}`);
}

async function inParallel<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}

function report(terminal: Terminal, { sent }: Outcome, { output }: ApplyOptions): void {
  for (const { item, result } of sent) {
    for (const text of result.warnings)
      if (!item.warnings.includes(placed(item, text))) warn(terminal, placed(item, text));
  }
  if (output === "name") {
    for (const { item, result } of sent)
      for (const name of appliedNames(item, result)) terminal.out(`${plainText(name)}\n`);
    return;
  }
  if (sent.length <= MOST_LISTED) {
    for (const { item, result } of sent) terminal.out(`${plainText(itemTitle(item))} ${result.verb}\n`);
    return;
  }
  const counts = new Map<string, number>();
  for (const { result } of sent) counts.set(result.verb, (counts.get(result.verb) ?? 0) + 1);
  const words = [...counts].map(([verb, count]) => `${count} ${verb}`);
  terminal.out(`${sent.length} objects: ${words.join(", ")}\n`);
}

/** As `ps -o name` has workloads; what is none, as `inspect` takes it. */
function appliedNames(item: Item, { waitsFor }: Sent): readonly string[] {
  if (waitsFor.length > 0) return waitsFor.map(({ kind = "", ...target }) => fullName({ kind, ...target }));
  switch (item.dialect) {
    case "fleet":
    case "fleet-instance":
      return [`fleet/${item.name}`];
    case "marathon":
      return [];
    case "kubernetes": {
      const { kind, metadata } = item.object;
      const namespace = namespaceOf(item.object);
      return [[kind, ...(namespace === undefined ? [] : [namespace]), metadata.name ?? ""].join("/")];
    }
  }
}

/** The server names a unit where people look for its file. */
function placed({ place, ...item }: Item, text: string): string {
  const isPlaced = item.dialect === "fleet" && text.startsWith(`${item.name}:`);
  return placeText(place) + (isPlaced ? text.slice(item.name.length) : `: ${text}`);
}

async function wait(
  terminal: Terminal,
  client: StyrClient,
  outcome: Outcome,
  timeoutMs: number,
  { output }: ApplyOptions,
): Promise<number> {
  const { targets, deployments } = outcome;
  const also = async () => {
    if (deployments.length === 0) return true;
    const running = await runningDeployments(client.connection);
    return !deployments.some((id) => running.has(id));
  };
  const { judged, timedOut } = await waitFor(terminal, client, targets, { wants: "running", timeoutMs, also });
  if (output !== "name") showRows(terminal, judged);
  const open = judged.filter(({ verdict }) => verdict !== "done");
  if (timedOut) terminal.err(`not everything runs after ${Math.round(timeoutMs / 1000)} s; it goes on being tried\n`);
  await next(terminal, client, judged, open[0]);
  const isUnplaced = ({ verdict, row }: Judged) => verdict === "not placed" || row?.status === "unplaced";
  if (open.length === 0) return timedOut ? EXIT.failed : EXIT.done;
  return open.every(isUnplaced) ? EXIT.notPlaced : EXIT.failed;
}

const MOST_ROWS = 20;

/** What was applied, as `styr ps` shows it; of many, what is not well. */
function showRows(terminal: Terminal, judged: readonly Judged[]): void {
  const chosen = judged.length > MOST_ROWS ? judged.filter(({ verdict }) => verdict !== "done") : judged;
  const rows = chosen.flatMap(({ row }) => row ?? []).slice(0, MOST_ROWS);
  if (rows.length === 0) return;
  terminal.out(`${workloadTable(rows, terminal)}\n`);
}

async function next(
  terminal: Terminal,
  client: StyrClient,
  judged: readonly Judged[],
  open: Judged | undefined,
): Promise<void> {
  const chosen = open ?? judged[0];
  if (!chosen) return;
  const name = chosen.row === undefined ? chosen.target.name : shortestName(chosen.row.name, fullName(chosen.row));
  const url = judged.flatMap(({ row }) => row?.urls ?? []).find((text) => text.startsWith("http"));
  const warn = (words: string) => terminal.err(`${plainText(words)}\n`);
  const tried = url === undefined || open ? "" : `${await curlWords(client, url, warn)}   or   `;
  const look = `${tried}styr logs -f ${name}`;
  terminal.err(`next: ${plainText(terminal.asTyped(open ? `styr why ${name}` : look))}\n`);
}

function shortestName(name: string, full: string): string {
  return /^[\w@.:/-]+$/.test(name) ? name : full;
}
