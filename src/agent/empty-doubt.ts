import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";

/** How long an answer that would stop everything here has to stay the same before it is believed. */
const DOUBT_MS = 30_000;

/**
 * "Nothing is assigned to you" while pods run here is what a control plane with an empty store says, too. Everything
 * goes on, and the question is put again; the same answer later is believed.
 */
export class EmptyDoubt {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #askAgain: () => void;
  #sinceMs: number | undefined;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }, askAgain: () => void) {
    this.#clock = clock;
    this.#log = log;
    this.#askAgain = askAgain;
  }

  /** `assigned`: how many pods the answer has; `running`: how many run here. */
  isDoubtful(assigned: number, running: number): boolean {
    if (assigned > 0 || running === 0) {
      this.#sinceMs = undefined;
      return false;
    }
    const now = this.#clock.monotonic();
    if (this.#sinceMs !== undefined && now - this.#sinceMs >= DOUBT_MS) return false;
    this.#log.warn(
      "the control plane says that nothing is assigned here, but pods run: asking again before anything is stopped",
      { running },
    );
    if (this.#sinceMs === undefined) {
      this.#sinceMs = now;
      this.#clock.setTimer(DOUBT_MS, () => {
        if (this.#sinceMs !== undefined) this.#askAgain();
      });
    }
    return true;
  }
}
