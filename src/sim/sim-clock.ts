import type { Clock, Timer } from "../seams/clock.ts";
import type { Entry, Life, SimTime } from "./sim-time.ts";

const EPOCH_MS = Date.UTC(2026, 0, 1);

/** A host's own idea of time: it drifts, its wall clock jumps, and while the host stands still nothing on it is due. */
export class HostTime {
  readonly #time: SimTime;
  /** Monotonic time is `#base + (now - #since) * #rate`. */
  #base: number;
  #since = 0;
  #rate = 1;
  #wallOffsetMs: number;
  #frozenUntilMs = 0;
  #held: Entry[] = [];

  /** `uptimeMs`: where its monotonic clock stands; those of two hosts have nothing in common. */
  constructor(time: SimTime, uptimeMs: number, wallOffsetMs: number) {
    this.#time = time;
    this.#base = uptimeMs;
    this.#wallOffsetMs = wallOffsetMs - uptimeMs;
  }

  get isFrozen(): boolean {
    return this.#time.nowMs < this.#frozenUntilMs;
  }

  /** What the world's own clock says. */
  get world(): number {
    return this.#time.nowMs;
  }

  /** At a moment of the world's own clock; later when the host stands still then. */
  at(worldMs: number, fn: () => void, life: Life): void {
    this.#time.schedule(worldMs, fn, life, this);
  }

  monotonic(): number {
    return this.#base + (this.#time.nowMs - this.#since) * this.#rate;
  }

  wall(): number {
    return Math.floor(EPOCH_MS + this.#wallOffsetMs + this.monotonic());
  }

  setDrift(ppm: number): void {
    this.#base = this.monotonic();
    this.#since = this.#time.nowMs;
    this.#rate = 1 + ppm / 1e6;
  }

  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** The monotonic clock starts anew. */
  reboot(): void {
    const before = this.monotonic();
    this.#base = 0;
    this.#since = this.#time.nowMs;
    this.#wallOffsetMs += before;
    this.#frozenUntilMs = 0;
    this.#held = [];
  }

  freeze(ms: number): void {
    const untilMs = this.#time.nowMs + ms;
    if (untilMs <= this.#frozenUntilMs) return;
    this.#frozenUntilMs = untilMs;
    this.#time.schedule(untilMs, () => this.#thaw());
  }

  setTimer(ms: number, fn: () => void, life: Life): Timer {
    const delayMs = Math.max(0, ms) / this.#rate;
    const entry = this.#time.schedule(this.#time.nowMs + delayMs, fn, life, this);
    return {
      cancel: () => {
        entry.fn = undefined;
      },
    };
  }

  keeps(entry: Entry): boolean {
    if (entry.atMs >= this.#frozenUntilMs) return false;
    if (this.#frozenUntilMs <= this.#time.nowMs) return false;
    this.#held.push(entry);
    return true;
  }

  /** In the order in which they were due. */
  #thaw(): void {
    if (this.isFrozen) return;
    const held = this.#held;
    this.#held = [];
    for (const entry of held) this.#time.schedule(this.#time.nowMs, () => fire(entry), entry.life, this);
  }
}

/** It may have been cancelled meanwhile, through the handle that its owner has. */
function fire(entry: Entry): void {
  const { fn } = entry;
  entry.fn = undefined;
  fn?.();
}

/** The clock of one process on a host. After the end of its life its timers never fire and its sleeps never end. */
export class ProcessClock implements Clock {
  readonly #host: HostTime;
  readonly #life: Life;

  constructor(host: HostTime, life: Life) {
    this.#host = host;
    this.#life = life;
  }

  now(): number {
    return this.#host.wall();
  }

  monotonic(): number {
    return this.#host.monotonic();
  }

  setTimer(ms: number, fn: () => void): Timer {
    return this.#host.setTimer(ms, fn, this.#life);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        timer.cancel();
        if (!this.#life.isOver) reject(signal?.reason);
      };
      const timer = this.setTimer(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}
