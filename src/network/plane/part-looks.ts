import type { Clock } from "../../seams/clock.ts";
import { inTime } from "../../seams/in-time.ts";
import type { NetworkPart } from "./network-part.ts";

const PAUSE_MS = 1_000;
/** Whoever asks is told what is known then. */
const MOST_MS = 3_000;

/** Has all parts look at the host when somebody asks how it is: once for all who ask at the same time, and not again within a second. */
export class PartLooks {
  readonly #parts: readonly Pick<NetworkPart, "lookAgain">[];
  readonly #clock: Clock;
  #looking: Promise<void> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: readonly Pick<NetworkPart, "lookAgain">[], clock: Clock) {
    this.#parts = parts;
    this.#clock = clock;
  }

  async now(): Promise<void> {
    const clock = this.#clock;
    if (this.#looking === undefined && clock.monotonic() - this.#lookedAtMs < PAUSE_MS) return;
    // What fails is in the part's report.
    this.#looking ??= Promise.allSettled(this.#parts.map((part) => part.lookAgain?.())).then(() => {
      this.#looking = undefined;
      this.#lookedAtMs = clock.monotonic();
    });
    await inTime(clock, MOST_MS, this.#looking, () => undefined);
  }
}
