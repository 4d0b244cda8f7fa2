import type { Clock } from "../../seams/clock.ts";

/** A wait without an end, in pieces. */
const LONG_MS = 60_000;

/** Who waits until something of the network is so: looked at again whenever something is heard. */
export class Waiters {
  readonly #clock: Clock;
  readonly #stopping: AbortSignal;
  readonly #checks = new Set<() => void>();

  constructor(clock: Clock, stopping: AbortSignal) {
    this.#clock = clock;
    this.#stopping = stopping;
  }

  /** Whether it came to be so. */
  async until(isSo: () => boolean, mostMs: number): Promise<boolean> {
    if (isSo() || mostMs <= 0) return isSo();
    const over = Promise.withResolvers<void>();
    const check = () => (isSo() || this.#stopping.aborted ? over.resolve() : undefined);
    this.#checks.add(check);
    const timer = this.#clock.setTimer(mostMs, over.resolve);
    await over.promise;
    timer.cancel();
    this.#checks.delete(check);
    return isSo();
  }

  /** Whatever it takes, but for the end of the agent. */
  async always(isSo: () => boolean): Promise<void> {
    while (!isSo() && !this.#stopping.aborted) await this.until(isSo, LONG_MS);
  }

  wake(): void {
    for (const check of [...this.#checks]) check();
  }
}
