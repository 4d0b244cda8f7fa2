import type { AuditEntry } from "../model/user-reports.ts";

/** What waits for a reader who does not keep up; the oldest is left out then. */
const MOST_WAITING = 1000;

interface Follower {
  waiting: AuditEntry[];
  leftOut: number;
  wake: () => void;
}

/** Whoever looks on while it happens. */
export class AuditFollowers {
  readonly #all = new Set<Follower>();

  tell(entry: AuditEntry): void {
    for (const follower of this.#all) {
      follower.waiting.push(entry);
      if (follower.waiting.length > MOST_WAITING) {
        follower.waiting.shift();
        follower.leftOut++;
      }
      follower.wake();
    }
  }

  /** Listens from the call on, not only from the first `next`. */
  follow(signal: AbortSignal): AsyncGenerator<AuditEntry, void, undefined> {
    const follower: Follower = { waiting: [], leftOut: 0, wake: () => {} };
    this.#all.add(follower);
    const leave = () => {
      this.#all.delete(follower);
      signal.removeEventListener("abort", leave);
      follower.wake();
    };
    signal.addEventListener("abort", leave);
    if (signal.aborted) leave();
    return taken(follower, signal, leave);
  }
}

async function* taken(follower: Follower, signal: AbortSignal, leave: () => void): AsyncGenerator<AuditEntry> {
  try {
    while (!signal.aborted) {
      const { waiting, leftOut } = follower;
      follower.waiting = [];
      follower.leftOut = 0;
      for (const [at, entry] of waiting.entries()) yield at === 0 && leftOut > 0 ? { ...entry, leftOut } : entry;
      if (follower.waiting.length > 0 || signal.aborted) continue;
      await new Promise<void>((resolve) => {
        follower.wake = resolve;
      });
    }
  } finally {
    leave();
  }
}
