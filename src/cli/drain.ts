import type { Command } from "commander";
import { readDrain, startDrain } from "../client/moves.ts";
import { parseDurationMs } from "../lib/duration.ts";
import type { DrainedPod, DrainReport } from "../model/node-drain.ts";
import { findNode } from "./cordon.ts";
import { CliFailure, EXIT } from "./failure.ts";
import { follow } from "./follow.ts";
import { plainLines, plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** So long nothing may have changed before "nowhere to go" is believed. */
const BLOCKED_MS = 3_000;
const MOST_LISTED = 20;

interface DrainFlags {
  readonly deadline?: string;
  readonly force?: true;
  readonly atOnce?: string;
  readonly detach?: true;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("drain")
    .description("Cordon a node and move its pods elsewhere: each successor is ready before the old copy stops.")
    .argument("<node>", "a name, or a beginning that only one node has")
    .option("--deadline <duration>", "what has not moved by then is stopped anyway")
    .option("--force", "also delete pods that nothing would start elsewhere")
    .option("--at-once <count>", "moves under way at once (default: 5)")
    .option("--detach", "do not wait: it goes on by itself")
    .action(async (name: string, flags: DrainFlags, command: Command) => {
      const client = openSession(command, terminal);
      const rows = await client.nodes();
      const node = findNode(
        name,
        rows.map((row) => row.name),
      );
      const isUnderWay = rows.some((row) => row.name === node && (row.drain === "draining" || row.drain === "blocked"));
      const { connection } = client;
      const begun = await startDrain(connection, node, wishOf(flags));
      if (isUnderWay) sayJoined(terminal, begun);
      if (flags.detach) return sayBegun(terminal, begun, isUnderWay);
      const ended = await follow<DrainReport | undefined>(terminal, {
        read: () => readDrain(connection, node),
        isOver: (report, forMs) => report === undefined || isOver(report, forMs),
        drawn: (report) => (report ? progress(report) : ""),
        line: (report) => (report && report.total > 0 ? `${report.node}: ${plainProgress(report)}` : ""),
        left: "not waited for any longer; the drain goes on",
        next: `styr drain ${node} to see it, styr uncordon ${node} to end it`,
      });
      if (!ended)
        throw new CliFailure(`the drain was ended: ${node} was uncordoned or taken away`, { next: "styr nodes" });
      sayEnded(terminal, ended);
    });
}

function wishOf({ deadline, force, atOnce }: DrainFlags) {
  const deadlineMs = deadline === undefined ? undefined : parseDurationMs(deadline);
  if (deadline !== undefined && deadlineMs === undefined)
    throw new CliFailure(`--deadline ${deadline}: give a duration such as 90s or 5m`);
  return {
    ...(deadlineMs === undefined ? {} : { deadlineMs: Math.round(deadlineMs) }),
    ...(force ? { force } : {}),
    ...(atOnce === undefined ? {} : { atOnce: countOf("--at-once", atOnce) }),
  };
}

export function countOf(option: string, text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new CliFailure(`${option} ${text}: give a whole number of at least 1`);
}

function isOver({ phase, deadline }: DrainReport, forMs: number): boolean {
  return phase === "drained" || (phase === "blocked" && deadline === undefined && forMs >= BLOCKED_MS);
}

function progress(report: DrainReport): string {
  const shown = report.pods.filter(({ state }) => state === "starting" || state === "stopping" || state === "stuck");
  return [`draining ${report.node}: ${report.summary}`, ...noteOf(report), ...podLines(shown)].join("\n");
}

/** Without what is left of the time, which would be another line every second. */
function plainProgress({ moved, total, deleted = 0, pods, note, deadline }: DrainReport): string {
  const stuck = pods.filter(({ state }) => state === "stuck").length;
  const blocked = pods.filter((row) => row.blocked).length;
  const words = [
    ...(deleted === 0 ? [] : [`, ${deleted} deleted`]),
    ...(stuck === 0 ? [] : [`, ${stuck} ${stuck === 1 ? "has" : "have"} nowhere to go`]),
    ...(blocked === 0 ? [] : [`, ${blocked} ${blocked === 1 ? "waits" : "wait"} for successors that are not ready`]),
    ...(deadline === undefined ? [] : [`, what is left is stopped at ${deadline}`]),
  ].join("");
  return `${moved} of ${total} moved${words}${note === undefined ? "" : `; ${note}`}`;
}

function noteOf({ note }: DrainReport): readonly string[] {
  return note === undefined ? [] : [`  ${note}`];
}

function podLines(pods: readonly DrainedPod[]): readonly string[] {
  const lines = pods.slice(0, MOST_LISTED).map(({ key, reason }) => `  ${key}: ${reason}`);
  return pods.length <= MOST_LISTED ? lines : [...lines, `  and ${pods.length - MOST_LISTED} more`];
}

function sayJoined(terminal: Terminal, { node, deadline }: DrainReport): void {
  terminal.err(`${plainText(node)} was being drained already; ${deadlineSentence(deadline)}\n`);
}

function deadlineSentence(deadline: string | undefined): string {
  return deadline === undefined
    ? "nothing is stopped that has no ready successor"
    : `what is left is stopped at ${deadline}`;
}

function sayBegun(terminal: Terminal, { node, deadline }: DrainReport, isUnderWay: boolean): void {
  terminal.out(`node ${plainText(node)} is being drained\n`);
  if (deadline !== undefined && !isUnderWay) terminal.err(`${deadlineSentence(deadline)}\n`);
  terminal.err(`next: ${terminal.asTyped(`styr drain ${node} to see it, styr uncordon ${node} to end it`)}\n`);
}

function sayEnded(terminal: Terminal, report: DrainReport): void {
  const { node, phase, summary, pods } = report;
  const stays = pods.filter(({ state }) => state === "stays");
  const stuck = pods.filter(({ state, blocked }) => state === "stuck" || blocked);
  const open = stays.some(({ needsForce }) => needsForce);
  const head = phase === "drained" ? `node ${node} is drained: ${summary}` : `node ${node}: ${summary}`;
  terminal.out(`${plainLines([head, ...podLines([...stuck, ...stays])].join("\n"))}\n`);
  if (phase === "blocked") {
    const next = `styr drain ${node} --deadline 0s stops them all the same; styr uncordon ${node} ends it; it moves on by itself when there is room, or what it waits for is ready`;
    throw new CliFailure("", { exitCode: EXIT.notPlaced, next });
  }
  if (open) throw new CliFailure("", { next: `styr drain ${node} --force deletes what nothing would start elsewhere` });
  terminal.err(`next: ${terminal.asTyped(`styr uncordon ${node} when it may take pods again`)}\n`);
}
