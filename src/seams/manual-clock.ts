import { Heap } from "../lib/heap.ts";
import type { Clock, Timer } from "./clock.ts";

interface Pending {
  readonly atMs: number;
  readonly order: number;
  readonly fn: () => void;
  cancelled: boolean;
}

/**
 * Time that passes only when told to. For tests and the simulator: timers fire in the order of their deadlines, equal
 * ones in the order they were set, and everything that a timer set in motion settles before the next one fires.
 */
export class ManualClock implements Clock {
  readonly #pending = new Heap<Pending>((a, b) => (a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs));
  readonly #epochMs: number;
  #elapsedMs = 0;
  #order = 0;
  #live = 0;

  constructor(epochMs = Date.UTC(2026, 0, 1)) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#epochMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimer(ms: number, fn: () => void): Timer {
    const timer: Pending = { atMs: this.#elapsedMs + Math.max(0, ms), order: this.#order++, fn, cancelled: false };
    this.#pending.push(timer);
    this.#live++;
    return {
      cancel: () => {
        if (timer.cancelled) return;
        timer.cancelled = true;
        this.#live--;
      },
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.setTimer(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** How many timers wait. An idle component has few. */
  get timers(): number {
    return this.#live;
  }

  /** Milliseconds until the next timer is due; undefined when there is none. */
  get nextInMs(): number | undefined {
    this.#dropCancelled();
    const next = this.#pending.peek();
    return next === undefined ? undefined : Math.max(0, next.atMs - this.#elapsedMs);
  }

  /** Lets everything that can go on without time passing do so: promise chains and immediate callbacks, no I/O. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Lets `ms` pass, one timer at a time. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await this.settle();
    for (;;) {
      this.#dropCancelled();
      const next = this.#pending.peek();
      if (next === undefined || next.atMs > endMs) break;
      this.#pending.pop();
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
      next.cancelled = true;
      this.#live--;
      next.fn();
      await this.settle();
    }
    this.#elapsedMs = endMs;
  }

  #dropCancelled(): void {
    while (this.#pending.peek()?.cancelled === true) this.#pending.pop();
  }
}
