import { Heap } from "../lib/heap.ts";
import type { Clock, Timer } from "../seams/clock.ts";

interface Entry {
  readonly atMs: number;
  readonly order: number;
  fn: (() => void) | undefined;
}

/** Every deadline is served up to this much late, never early, so that those close together share one wake-up. */
const SLACK_MS = 20;

/** Many timers on one timer of the clock, so that an idle node with thousands of probes wakes up seldom. */
export class TimerHeap {
  readonly #clock: Clock;
  readonly #entries = new Heap<Entry>((a, b) => (a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs));
  #order = 0;
  #armed: { readonly atMs: number; readonly timer: Timer } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(ms: number, fn: () => void): Timer {
    const entry: Entry = { atMs: this.#clock.monotonic() + Math.max(0, ms), order: this.#order++, fn };
    this.#entries.push(entry);
    this.#arm();
    return {
      cancel: () => {
        entry.fn = undefined;
      },
    };
  }

  #arm(): void {
    while (this.#entries.size > 0 && this.#entries.peek()?.fn === undefined) this.#entries.pop();
    const next = this.#entries.peek();
    if (this.#armed !== undefined && next !== undefined && this.#armed.atMs <= next.atMs) return;
    this.#armed?.timer.cancel();
    this.#armed = undefined;
    if (next === undefined) return;
    const timer = this.#clock.setTimer(next.atMs + SLACK_MS - this.#clock.monotonic(), () => this.#fire());
    this.#armed = { atMs: next.atMs, timer };
  }

  #fire(): void {
    this.#armed = undefined;
    const due = this.#clock.monotonic();
    for (let next = this.#entries.peek(); next !== undefined && next.atMs <= due; next = this.#entries.peek()) {
      this.#entries.pop();
      const fn = next.fn;
      next.fn = undefined;
      fn?.();
    }
    this.#arm();
  }
}
