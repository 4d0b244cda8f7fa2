import type { Clock } from "../seams/clock.ts";

/** For so long an image that was ready is taken to be still there; then somebody may have removed it. */
const KNOWN_MS = 60_000;

/**
 * Image pulls of one node: one at a time per image, few at a time in all. Those who want an image that is being pulled
 * wait for that pull and then find it there.
 */
export class PullQueue {
  readonly #most: number;
  readonly #byImage = new Map<string, Promise<void>>();
  readonly #clock: Clock;
  /** Images that were ready a moment ago, and until when that counts: looking for them again is quick and waits for nobody. In order of that time. */
  readonly #known = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(clock: Clock, most = 4) {
    this.#clock = clock;
    this.#most = most;
  }

  async run(image: string | undefined, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    if (image === undefined || this.#isKnown(image)) return await work();
    for (let other = this.#byImage.get(image); other !== undefined; other = this.#byImage.get(image)) {
      await settled(other);
      signal.throwIfAborted();
      if (this.#isKnown(image)) return await work();
    }
    const mine = this.#first(image, work, signal);
    this.#byImage.set(image, mine);
    try {
      await mine;
    } finally {
      this.#byImage.delete(image);
    }
  }

  #isKnown(image: string): boolean {
    const nowMs = this.#clock.monotonic();
    for (const [name, untilMs] of this.#known) {
      if (untilMs > nowMs) break;
      this.#known.delete(name);
    }
    return this.#known.has(image);
  }

  async #first(image: string, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    if (this.#running >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      signal.throwIfAborted();
      await work();
      this.#known.delete(image);
      this.#known.set(image, this.#clock.monotonic() + KNOWN_MS);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

/** Waits for somebody else's work; how it ended is theirs to say. */
function settled(work: Promise<void>): Promise<void> {
  return work.then(
    () => undefined,
    () => undefined,
  );
}
