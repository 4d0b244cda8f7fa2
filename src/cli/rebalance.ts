import { type Command, Option } from "commander";
import type { Connection } from "../client/connection.ts";
import { planRebalance, readRebalance, startRebalance, stopRebalance } from "../client/moves.ts";
import type { RebalancePlan, RebalanceReport, WorkloadPlan } from "../model/rebalance.ts";
import { countOf } from "./drain.ts";
import { CliFailure } from "./failure.ts";
import { follow } from "./follow.ts";
import { plainJson, plainLines, plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import { renderTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const MOST_LISTED = 10;

interface RebalanceFlags {
  readonly plan?: true;
  readonly apply?: true;
  readonly stop?: true;
  readonly budget?: string;
  readonly atOnce?: string;
  readonly detach?: true;
  readonly output: "table" | "json";
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("rebalance")
    .description(
      "What moves would even out workloads over nodes and zones, and nodes by load. Moves nothing by itself.",
    )
    .option("--plan", "show what would be moved, and what is gained (this is the default)")
    .option("--apply", "move it: each successor is ready before the old copy stops")
    .option("--stop", "call off the moves that are under way")
    .option("--budget <count>", "moves at most (default: 20)")
    .option("--at-once <count>", "moves under way at once (default: 3)")
    .option("--detach", "do not wait: it goes on by itself")
    .addOption(new Option("-o, --output <format>", "how to show the plan").choices(["table", "json"]).default("table"))
    .action(async (flags: RebalanceFlags, command: Command) => {
      refuseSeveral(flags);
      const { connection } = openSession(command, terminal);
      if (flags.stop) return stop(terminal, connection);
      const budget = flags.budget === undefined ? undefined : countOf("--budget", flags.budget);
      if (flags.apply) return apply(terminal, connection, flags, budget);
      const plan = await planRebalance(connection, budget);
      if (flags.output === "json") return terminal.out(`${plainJson(JSON.stringify(plan))}\n`);
      terminal.out(`${planText(plan, terminal)}\n`);
      if (plan.moves.length > 0) terminal.err(`next: ${terminal.asTyped("styr rebalance --apply")}\n`);
    });
}

function refuseSeveral({ plan, apply, stop }: RebalanceFlags): void {
  const given = [...(plan ? ["--plan"] : []), ...(apply ? ["--apply"] : []), ...(stop ? ["--stop"] : [])];
  if (given.length > 1) throw new CliFailure(`${given.join(" and ")} contradict each other: give one of them`);
}

async function apply(
  terminal: Terminal,
  connection: Connection,
  { atOnce, detach }: RebalanceFlags,
  budget: number | undefined,
): Promise<void> {
  const begun = await startRebalance(connection, {
    ...(budget === undefined ? {} : { budget }),
    ...(atOnce === undefined ? {} : { atOnce: countOf("--at-once", atOnce) }),
  });
  if (!begun) terminal.err("a rebalance is under way already: it is followed\n");
  if (begun?.total === 0) return terminal.out("nothing to gain: nothing is moved\n");
  if (detach) {
    terminal.out(`rebalancing: ${begun?.summary ?? "as asked before"}\n`);
    terminal.err(`next: ${terminal.asTyped("styr rebalance --apply to follow it, styr rebalance --stop to end it")}\n`);
    return;
  }
  const ended = await follow<RebalanceReport | undefined>(terminal, {
    read: () => readRebalance(connection),
    isOver: (report) => report?.phase !== "running",
    drawn: (report) => (report ? progress(report) : ""),
    line: (report) => (report ? `rebalance: ${report.done} of ${report.total} moved` : ""),
    left: "not waited for any longer; the rebalance goes on",
    next: "styr rebalance --apply to follow it, styr rebalance --stop to end it",
  });
  if (ended) sayEnded(terminal, ended);
}

async function stop(terminal: Terminal, connection: Connection): Promise<void> {
  const report = await stopRebalance(connection);
  const isRunning = report?.phase === "running";
  terminal.out(
    isRunning ? `stopping: ${report.summary}; what is under way is called off\n` : "no rebalance is under way\n",
  );
}

function progress({ summary, moves }: RebalanceReport): string {
  const shown = moves.filter(({ state }) => state === "starting" || state === "stopping").slice(0, MOST_LISTED);
  const lines = shown.map(({ pod, from, to, reason }) => `  ${pod} from ${from} to ${to}: ${reason}`);
  return [`rebalancing: ${summary}`, ...lines].join("\n");
}

function sayEnded(terminal: Terminal, { phase, summary, message, moves }: RebalanceReport): void {
  const odd = moves.filter(({ state }) => state === "skipped" || state === "undone").slice(0, MOST_LISTED);
  const lines = odd.map(
    ({ pod, state, reason }) => `  ${pod} ${state === "undone" ? "called off" : "skipped"}: ${reason}`,
  );
  terminal.out(`${plainLines([`rebalance ${phase}: ${summary}`, ...lines].join("\n"))}\n`);
  if (phase === "failed") throw new CliFailure(message ?? "it failed", { next: "styr ps, then styr rebalance --plan" });
  if (phase === "stopped") throw new CliFailure("it was stopped before its end", { next: "styr rebalance --plan" });
}

/** The whole plan for people. */
export function planText(
  { workloads, moves, beyondBudget, left }: RebalancePlan,
  terminal: Pick<Terminal, "colors" | "columns">,
): string {
  const stays = left
    .slice(0, MOST_LISTED)
    .map(({ workload, reason }) => `  ${plainText(workload)}: ${plainText(reason)}`);
  const more = left.length > MOST_LISTED ? [`  and ${left.length - MOST_LISTED} more`] : [];
  const rest = left.length === 0 ? [] : ["uneven, and left as they are:", ...stays, ...more];
  if (moves.length === 0) return ["nothing to gain: no move is worth it", ...rest].join("\n");
  const places = sharedPlaces(workloads);
  const total = `${count(moves.length, "move")} of ${count(workloads.length, "workload")}, each started before it stops`;
  return [
    table(workloads, places, terminal),
    ...(places === undefined ? [] : [`copies on ${places.map(plainText).join("/")}`]),
    beyondBudget === 0 ? total : `${total}; ${beyondBudget} more would gain, beyond the budget`,
    ...rest,
  ].join("\n");
}

function table(
  workloads: readonly WorkloadPlan[],
  places: readonly string[] | undefined,
  terminal: Pick<Terminal, "colors" | "columns">,
) {
  const copies = (row: WorkloadPlan) =>
    places ? `${row.before.join("/")} → ${row.after.join("/")}` : changesOf(row).map(plainText).join(", ");
  return renderTable<WorkloadPlan>(
    [
      { title: "WORKLOAD", cell: ({ workload }) => plainText(workload), firm: true },
      { title: "DIALECT", cell: ({ dialect }) => plainText(dialect), dropRank: 2 },
      { title: "OVER", cell: ({ over }) => over, dropRank: 1 },
      { title: "COPIES", cell: copies, firm: true },
      { title: "MOVES", cell: ({ moves }) => String(moves), firm: true },
    ],
    workloads,
    { width: terminal.columns, colors: terminal.colors },
  );
}

/** Every row counts the same places: then their names are said once. */
function sharedPlaces([first, ...others]: readonly WorkloadPlan[]): readonly string[] | undefined {
  const key = JSON.stringify(first?.places);
  return others.every(({ places }) => JSON.stringify(places) === key) ? first?.places : undefined;
}

function changesOf({ places, before, after }: WorkloadPlan): readonly string[] {
  return places.flatMap((place, at) => (before[at] === after[at] ? [] : [`${place} ${before[at]} → ${after[at]}`]));
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
