import type { Clock } from "../seams/clock.ts";

/** A start that takes longer (an engine that hangs, a unit that waits for something) makes room for the next. */
const LONGEST_TURN_MS = 15_000;

/** Starts of one node, in the order asked for, few at a time: after a mass return everything wants to start at once. */
export class StartQueue {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(clock: Clock, most = 8) {
    this.#clock = clock;
    this.#most = most;
  }

  /** Undefined when its turn can begin at once. */
  get ahead(): number | undefined {
    return this.#running < this.#most ? undefined : this.#waiting.length;
  }

  /** Rejects with the signal's reason when that aborts before its turn has come. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#turn(signal);
    let isOver = false;
    const end = () => {
      if (isOver) return;
      isOver = true;
      late.cancel();
      this.#next();
    };
    const late = this.#clock.setTimer(LONGEST_TURN_MS, end);
    try {
      return await work();
    } finally {
      end();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#most) {
      this.#running++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      const enter = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      this.#waiting.push(enter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  #next(): void {
    const enter = this.#waiting.shift();
    if (enter) enter();
    else this.#running--;
  }
}
