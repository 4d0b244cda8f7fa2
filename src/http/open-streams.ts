import type { Clock, Timer } from "../seams/clock.ts";

/** A timer of Node has 31 bits of milliseconds, and the host's clock may be set meanwhile. */
const LOOK_MS = 3_600_000;

/** What people and programs with tokens have open, so that it can be ended when their rights are taken back, or their token is over. */
export class OpenStreams {
  readonly #cuts = new Map<string, Set<() => void>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `cut` ends the connection. Calling the answer forgets it. `endsAtMs`: when the token that opened it is over. */
  add(name: string, cut: () => void, endsAtMs?: number): () => void {
    const mine = this.#cuts.get(name) ?? new Set();
    this.#cuts.set(name, mine);
    mine.add(cut);
    const forgetEnd = endsAtMs === undefined ? () => {} : this.#cutAt(endsAtMs, cut);
    return () => {
      forgetEnd();
      mine.delete(cut);
      if (mine.size === 0 && this.#cuts.get(name) === mine) this.#cuts.delete(name);
    };
  }

  /** How many there were. */
  cut(name: string): number {
    const mine = [...(this.#cuts.get(name) ?? [])];
    for (const cut of mine) cut();
    return mine.length;
  }

  #cutAt(endsAtMs: number, cut: () => void): () => void {
    let timer: Timer;
    const look = () => {
      const leftMs = endsAtMs - this.#clock.now();
      if (leftMs <= 0) return cut();
      timer = this.#clock.setTimer(Math.min(leftMs, LOOK_MS), look);
    };
    // Not at once: whoever opens it is still being told that it is open.
    timer = this.#clock.setTimer(Math.min(Math.max(0, endsAtMs - this.#clock.now()), LOOK_MS), look);
    return () => timer.cancel();
  }
}
