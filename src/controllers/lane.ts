import { backoffMs } from "../lib/backoff.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Controller } from "./controller.ts";

const RETRY = { initialMs: 200, factor: 2, maxMs: 30_000 };
/** A key that took longer than this (a controller of thousands of pods) is not reconciled for every single change: … */
const COSTLY_MS = 5;
/** … changes that wake it gather for so many times what it took, at most LONGEST_GATHER_MS. */
const GATHER_FACTOR = 10;
const LONGEST_GATHER_MS = 1000;

interface LaneOptions {
  readonly controller: Controller;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Something is in the queue that was not. */
  readonly ready: () => void;
}

/** One controller with what waits for it. */
export class Lane {
  readonly controller: Controller;
  readonly random: Random;
  readonly log: Log;
  /** Keys that are due. */
  readonly queue = new Set<string>();
  readonly #clock: Clock;
  readonly #ready: () => void;
  /** Keys that asked to be looked at again at some time. */
  readonly #later = new Map<string, Timer>();
  /** Costly keys, and until when their changes gather. */
  readonly #costly = new Map<string, number>();
  readonly #gathering = new Map<string, Timer>();
  readonly #failures = new Map<string, number>();

  constructor({ controller, clock, random, log, ready }: LaneOptions) {
    this.controller = controller;
    this.random = random;
    this.log = log;
    this.#clock = clock;
    this.#ready = ready;
  }

  /** Nothing is due. */
  get isIdle(): boolean {
    return this.queue.size === 0 && this.#gathering.size === 0;
  }

  wake(key: string): void {
    if (this.#gathering.has(key)) return;
    const waitMs = (this.#costly.get(key) ?? 0) - this.#clock.monotonic();
    if (waitMs <= 0) {
      this.queue.add(key);
      return;
    }
    const timer = this.#clock.setTimer(waitMs, () => {
      this.#gathering.delete(key);
      this.#due(key);
    });
    this.#gathering.set(key, timer);
  }

  /** Takes a key out of the queue, to be reconciled now: what it was to be looked at later for is done by that. */
  take(key: string): void {
    this.queue.delete(key);
    this.#cancelLater(key);
  }

  tookMs(key: string, ms: number): void {
    if (ms <= COSTLY_MS) this.#costly.delete(key);
    else this.#costly.set(key, this.#clock.monotonic() + Math.min(LONGEST_GATHER_MS, ms * GATHER_FACTOR));
  }

  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  failed(key: string, error: Error): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const afterMs = backoffMs(RETRY, failures);
    this.log.warn("could not reconcile; trying again", { key, error: error.stack ?? error.message, afterMs });
    this.later(key, afterMs);
  }

  later(key: string, afterMs: number): void {
    this.#cancelLater(key);
    const timer = this.#clock.setTimer(afterMs, () => {
      this.#later.delete(key);
      this.#due(key);
    });
    this.#later.set(key, timer);
  }

  stop(): void {
    this.queue.clear();
    for (const timer of [...this.#later.values(), ...this.#gathering.values()]) timer.cancel();
    this.#gathering.clear();
  }

  #due(key: string): void {
    this.queue.add(key);
    this.#ready();
  }

  #cancelLater(key: string): void {
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
  }
}
