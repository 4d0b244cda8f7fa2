/** Decides when waiting for workloads is over, and how it ended. Pure, given the rows and the time. */
import type { Workload } from "../../model/workload.ts";

export interface WaitTarget {
  readonly dialect: string;
  /** Left out: whatever kind has this name. */
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  /** Not before this many copies are wanted: rows that show the time before a change say nothing. */
  readonly copies?: number;
}

/** `waiting` until it is settled as one of the others. */
export type Verdict = "waiting" | "done" | "failed" | "not placed";

/** It must stay well so long: right after a change, rows may still show what was before it. */
const STEADY_MS = 600;
/** What runs must have run for so long: most of what dies at its start has died by then, and is no success. */
const SETTLED_MS = 4_000;
/** Times of rows have whole seconds. */
const SECOND_MS = 1_000;
/**
 * How long what is wrong may last before nobody waits for it any more. A start may fail twice and then work; what runs for a
 * moment between two failures is still in trouble.
 */
const PATIENCE_MS = { failed: 3_000, trouble: 20_000, unplaced: 15_000 } as const;

type Mood = "well" | "failed" | "trouble" | "unplaced" | "on its way";

export interface Judged {
  readonly target: WaitTarget;
  readonly row: Workload | undefined;
  readonly verdict: Verdict;
}

/** Remembers since when each target has been as it is. */
export class Judge {
  readonly #targets: readonly WaitTarget[];
  readonly #wants: "running" | "gone";
  readonly #moods = new Map<WaitTarget, { readonly mood: Mood; readonly sinceMs: number }>();
  readonly #troubles = new Map<WaitTarget, number>();

  constructor(targets: readonly WaitTarget[], wants: "running" | "gone" = "running") {
    this.#targets = targets;
    this.#wants = wants;
  }

  /** `wallMs`: what the time of day is. `isLast`: there is no more time, and what is well is well enough. */
  judge(rows: Iterable<Workload>, nowMs: number, wallMs: number, isLast = false): readonly Judged[] {
    const byName = new Map<string, Workload[]>();
    for (const row of rows) {
      const id = `${row.dialect}\n${row.name}`;
      const list = byName.get(id);
      if (list) list.push(row);
      else byName.set(id, [row]);
    }
    return this.#targets.map((target) => {
      const row = (byName.get(`${target.dialect}\n${target.name}`) ?? []).find((found) => isMeant(target, found));
      const ranMs = row?.status === "running" ? wallMs - Date.parse(row.since) - SECOND_MS : Number.POSITIVE_INFINITY;
      const mood = this.#mood(target, row);
      const verdict = this.#verdict(target, mood, nowMs, ranMs);
      return { target, row, verdict: isLast && mood === "well" ? "done" : verdict };
    });
  }

  #mood({ copies }: WaitTarget, row: Workload | undefined): Mood {
    if (this.#wants === "gone") return row === undefined || isOnlyLost(row) ? "well" : "on its way";
    if (row === undefined || (copies !== undefined && row.desired !== copies)) return "on its way";
    // What goes away after a change to fewer copies is still to go.
    return row.status === "running" && reachable(row).length > row.desired ? "on its way" : moodOf(row);
  }

  /** `ranMs`: how long it runs by its own account; NaN when it does not say. */
  #verdict(target: WaitTarget, mood: Mood, nowMs: number, ranMs: number): Verdict {
    const known = this.#moods.get(target);
    const sinceMs = known?.mood === mood ? known.sinceMs : nowMs;
    if (known?.mood !== mood) this.#moods.set(target, { mood, sinceMs });
    const lastedMs = nowMs - sinceMs;
    if (mood === "on its way") return "waiting";
    if (mood === "well") {
      const isDone = lastedMs >= SETTLED_MS || (lastedMs >= STEADY_MS && ranMs >= SETTLED_MS);
      if (isDone) this.#troubles.delete(target);
      return isDone ? "done" : "waiting";
    }
    if (mood === "trouble" && !this.#troubles.has(target)) this.#troubles.set(target, nowMs);
    const wrongMs = mood === "trouble" ? nowMs - (this.#troubles.get(target) ?? nowMs) : lastedMs;
    if (wrongMs < PATIENCE_MS[mood]) return "waiting";
    return mood === "unplaced" ? "not placed" : "failed";
  }
}

/** What is on unreachable nodes may take hours to go: nobody waits for that. */
function reachable({ pods }: Workload): Workload["pods"] {
  return pods.filter(({ status }) => status !== "lost");
}

function isOnlyLost(row: Workload): boolean {
  return row.desired === 0 && row.pods.length > 0 && reachable(row).length === 0;
}

function isMeant({ kind, namespace }: WaitTarget, row: Workload): boolean {
  return (kind === undefined || row.kind === kind) && (namespace === undefined || row.namespace === namespace);
}

function moodOf({ status, error }: Workload): Mood {
  switch (status) {
    case "running":
    case "done":
    case "stopped":
      return "well";
    case "failed":
      return "failed";
    case "unplaced":
      return "unplaced";
    default:
      return error === undefined ? "on its way" : "trouble";
  }
}
