import type { Clock, Timer } from "../seams/clock.ts";

/** Of large frames in one turn of the event loop: copied and encrypted in some milliseconds. */
const CHARS_PER_TURN = 1024 * 1024;

/** When all agents come back at once, what each is told of everything leaves this process in turns, with everything else between. */
export class Turnstile {
  readonly #clock: Clock;
  /** In the order in which they came. */
  readonly #waiting = new Map<object, () => void>();
  #left = CHARS_PER_TURN;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether `who` may send so much now; if not, `again` is called when it may ask again. */
  pass(who: object, chars: number, again: () => void): boolean {
    this.#timer ??= this.#clock.setTimer(0, () => this.#turn());
    if (this.#left <= 0) {
      this.#waiting.set(who, again);
      return false;
    }
    this.#left -= chars;
    return true;
  }

  forget(who: object): void {
    this.#waiting.delete(who);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#waiting.clear();
  }

  #turn(): void {
    this.#timer = undefined;
    this.#left = CHARS_PER_TURN;
    for (const [who, again] of this.#waiting) {
      if (this.#left <= 0) break;
      this.#waiting.delete(who);
      again();
    }
    if (this.#waiting.size > 0) this.#timer ??= this.#clock.setTimer(0, () => this.#turn());
  }
}
