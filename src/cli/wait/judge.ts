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
/** How long what is wrong may last before nobody waits for it any more. A start may fail twice and then work. */
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

  constructor(targets: readonly WaitTarget[], wants: "running" | "gone" = "running") {
    this.#targets = targets;
    this.#wants = wants;
  }

  judge(rows: Iterable<Workload>, nowMs: number): readonly Judged[] {
    const byName = new Map<string, Workload[]>();
    for (const row of rows) {
      const id = `${row.dialect}\n${row.name}`;
      const list = byName.get(id);
      if (list) list.push(row);
      else byName.set(id, [row]);
    }
    return this.#targets.map((target) => {
      const row = (byName.get(`${target.dialect}\n${target.name}`) ?? []).find((found) => isMeant(target, found));
      return { target, row, verdict: this.#verdict(target, this.#mood(target, row), nowMs) };
    });
  }

  #mood({ copies }: WaitTarget, row: Workload | undefined): Mood {
    if (this.#wants === "gone") return row === undefined ? "well" : "on its way";
    if (row === undefined || (copies !== undefined && row.desired !== copies)) return "on its way";
    // What goes away after a change to fewer copies is still to go.
    return row.status === "running" && row.pods.length > row.desired ? "on its way" : moodOf(row);
  }

  #verdict(target: WaitTarget, mood: Mood, nowMs: number): Verdict {
    const known = this.#moods.get(target);
    const sinceMs = known?.mood === mood ? known.sinceMs : nowMs;
    if (known?.mood !== mood) this.#moods.set(target, { mood, sinceMs });
    const lastedMs = nowMs - sinceMs;
    if (mood === "on its way") return "waiting";
    if (mood === "well") return lastedMs >= STEADY_MS ? "done" : "waiting";
    if (lastedMs < PATIENCE_MS[mood]) return "waiting";
    return mood === "unplaced" ? "not placed" : "failed";
  }
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
