/** Looks after something every few seconds, and at once when it has ended; but what ends again and again waits for its turn. */
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";

export interface RoundsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly look: () => Promise<void>;
  /** Cheap: it is asked twice a second. */
  readonly isThere: () => Promise<boolean>;
}

const LOOK_MS = 5_000;
/** What an agent before this one knew is to be seen anew. */
const FIRST_MS = 1_000;
const ASK_MS = 500;

export class Rounds {
  readonly #options: RoundsOptions;
  #timer: Timer | undefined;
  #isOn = false;
  #lookedAtMs = 0;
  #wasThere = false;
  #hurriedAtMs = Number.NEGATIVE_INFINITY;
  /** What the log says of it already. */
  #said: string | undefined;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  begin(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#lookedAtMs = this.#options.clock.monotonic() + FIRST_MS - LOOK_MS;
    this.#wait();
  }

  stop(): void {
    this.#isOn = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    if (!this.#isOn || this.#timer) return;
    const timer = this.#options.clock.setTimer(ASK_MS, () => {
      this.#turn()
        .then(
          (hasLooked) => {
            if (hasLooked) this.#said = undefined;
          },
          ({ message }: Error) => {
            // Every few seconds the same would say nothing more.
            if (message !== this.#said) this.#options.log.warn("the way in fails", { why: message });
            this.#said = message;
          },
        )
        .finally(() => {
          if (this.#timer !== timer) return;
          this.#timer = undefined;
          this.#wait();
        });
    });
    this.#timer = timer;
  }

  /** Whether it has looked. */
  async #turn(): Promise<boolean> {
    const { clock, look } = this.#options;
    const isDue = clock.monotonic() - this.#lookedAtMs >= LOOK_MS;
    if (!(isDue || (await this.#hasEnded())) || !this.#isOn) return false;
    try {
      await look();
      return true;
    } finally {
      this.#lookedAtMs = clock.monotonic();
    }
  }

  /** Once, when it was there before; one that ended soon after it was started is a matter of the next round. */
  async #hasEnded(): Promise<boolean> {
    const now = this.#options.clock.monotonic();
    const wasThere = this.#wasThere;
    this.#wasThere = await this.#options.isThere();
    if (this.#wasThere || !wasThere || now - this.#hurriedAtMs < LOOK_MS) return false;
    this.#hurriedAtMs = now;
    return true;
  }
}
