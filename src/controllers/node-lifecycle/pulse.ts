/** When the lifecycle does its work: when something is due, and once a second at least, to notice that it stood still itself. */
import type { Clock, Timer } from "../../seams/clock.ts";

/** The longest time between two looks at the clock, and the steps in which its deadlines are kept. */
const PULSE_MS = 1_000;
const STEP_MS = 250;
/** A timer that comes so late: we stood still, and cannot tell who was silent. */
const STALL_MS = 2_000;

export interface Work {
  /** Monotonic, when there is something to do next; Infinity: nothing waits. */
  nextMs(): number;
  due(nowMs: number): void;
  soon(): void;
  /** Before anything else is done, and for as long as it may have been: what came in meanwhile may not have been heard yet. */
  stood(stoodMs: number, nowMs: number): void;
}

export class Pulse {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #work: Work;
  #timer: Timer | undefined;
  #soon: Timer | undefined;
  /** When a timer was asked for last. */
  #askedMs: number;
  #isRunning = false;

  constructor(clock: Clock, signal: AbortSignal, work: Work) {
    this.#clock = clock;
    this.#signal = signal;
    this.#work = work;
    this.#askedMs = clock.monotonic();
  }

  /** Whatever takes long from here on is a stall. */
  begin(nowMs: number): void {
    this.#askedMs = nowMs;
  }

  run(): void {
    this.#isRunning = true;
    this.arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#soon?.cancel();
  }

  /** To be called when something else may be the next that is due. */
  arm(): void {
    this.#timer?.cancel();
    if (this.#signal.aborted || !this.#isRunning) return;
    const nowMs = this.#clock.monotonic();
    this.#noticeStall(nowMs);
    const atMs = ringMs(this.#work.nextMs(), nowMs);
    this.#askedMs = atMs;
    this.#timer = this.#clock.setTimer(atMs - nowMs, () => this.#ring());
  }

  /** Once, however often it is asked for until then. */
  soon(): void {
    if (this.#soon || this.#signal.aborted) return;
    this.#soon = this.#clock.setTimer(0, () => {
      this.#soon = undefined;
      this.#noticeStall(this.#clock.monotonic());
      this.#work.soon();
      this.arm();
    });
  }

  #ring(): void {
    const nowMs = this.#clock.monotonic();
    this.#noticeStall(nowMs);
    this.#work.due(nowMs);
    this.arm();
  }

  #noticeStall(nowMs: number): void {
    if (nowMs - this.#askedMs <= STALL_MS) return;
    this.#work.stood(nowMs - this.#askedMs, nowMs);
  }
}

/** In steps, so that what is due at about the same time is done at once; always later than now. */
export function ringMs(nextMs: number, nowMs: number): number {
  const wantedMs = Math.min(nowMs + PULSE_MS, nextMs);
  return Math.ceil(Math.max(wantedMs, nowMs + 1) / STEP_MS) * STEP_MS;
}
