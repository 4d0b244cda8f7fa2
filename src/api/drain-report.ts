/** A drain in words and numbers, as of now. Pure. */
import { humanDuration } from "../lib/duration.ts";
import type { DrainedPod, DrainReport, NodeDrain } from "../model/node-drain.ts";
import { deadlineWords } from "./drain-sentences.ts";

export function drainReport({ metadata, spec, status }: NodeDrain, nowMs: number): DrainReport {
  const { phase, startedAt, endedAt, note, pods } = status;
  const rows = pods.filter(({ state, needsForce }) => state !== "stays" && !needsForce);
  const deleted = pods.filter(({ state }) => state === "deleted").length;
  const moved = pods.filter(({ state }) => state === "moved");
  const etaSeconds = phase === "draining" && note === undefined ? etaOf(rows, moved, Date.parse(startedAt)) : undefined;
  const report = {
    node: metadata.name,
    phase,
    by: spec.by,
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(spec.deadline === undefined ? {} : { deadline: spec.deadline }),
    ...(note === undefined ? {} : { note }),
    total: rows.length,
    moved: moved.length,
    ...(deleted === 0 ? {} : { deleted }),
    ...(etaSeconds === undefined ? {} : { etaSeconds }),
    pods,
  };
  return { ...report, summary: summaryOf(report, nowMs) };
}

/** What is left takes as long as what is done took. */
function etaOf(rows: readonly DrainedPod[], moved: readonly DrainedPod[], startMs: number): number | undefined {
  const left = rows.filter(({ state, blocked }) => state !== "moved" && state !== "stuck" && !blocked).length;
  const last = Math.max(...moved.map(({ since }) => Date.parse(since)));
  if (moved.length === 0 || left === 0) return undefined;
  return Math.max(1, Math.round(((last - startMs) / 1000 / moved.length) * left));
}

function summaryOf(report: Omit<DrainReport, "summary">, nowMs: number): string {
  const { phase, total, moved, deleted = 0, etaSeconds, pods, startedAt, endedAt, deadline } = report;
  const stuck = pods.filter(({ state }) => state === "stuck").length;
  const blocked = pods.filter((row) => row.blocked).length;
  const stays = pods.filter(({ state }) => state === "stays").length;
  const tookMs = (endedAt === undefined ? nowMs : Date.parse(endedAt)) - Date.parse(startedAt);
  if (phase === "drained") {
    const parts = [
      ...(total === 0 ? [] : [`${total === 1 ? "1" : `all ${total}`} moved`]),
      ...(deleted === 0 ? [] : [`${deleted} deleted`]),
    ];
    const done = parts.length === 0 ? "nothing had to move" : `${parts.join(", ")} in ${humanDuration(tookMs)}`;
    return stays === 0 ? done : `${done}; ${stays} ${stays === 1 ? "stays" : "stay"}`;
  }
  return [
    `${moved} of ${total} moved`,
    ...(deleted === 0 ? [] : [`${deleted} deleted`]),
    ...(etaSeconds === undefined ? [] : [`about ${roundedSeconds(etaSeconds)} left`]),
    ...(stuck === 0 ? [] : [`${stuck} ${stuck === 1 ? "has" : "have"} nowhere to go`]),
    ...(blocked === 0 ? [] : [`${blocked} ${blocked === 1 ? "waits" : "wait"} for successors that are not ready`]),
    ...(deadline === undefined ? [] : [deadlineWords(deadline, nowMs)]),
  ].join(", ");
}

/** `40 s`, `3 min`: an estimate is not exact to the second. */
function roundedSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds} s`;
  return seconds < 90 ? `${Math.round(seconds / 5) * 5} s` : `${Math.round(seconds / 60)} min`;
}
