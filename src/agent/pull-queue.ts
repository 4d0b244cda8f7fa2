/**
 * Image pulls of one node: one at a time per image, few at a time in all. Those who want an image that is being pulled
 * wait for that pull and then find it there.
 */
export class PullQueue {
  readonly #most: number;
  readonly #byImage = new Map<string, Promise<void>>();
  /** Images that were ready once: looking for them again is quick and waits for nobody. */
  readonly #known = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(most = 4) {
    this.#most = most;
  }

  async run(image: string | undefined, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    if (image === undefined || this.#known.has(image)) return await work();
    for (let other = this.#byImage.get(image); other !== undefined; other = this.#byImage.get(image)) {
      await settled(other);
      signal.throwIfAborted();
      if (this.#known.has(image)) return await work();
    }
    const mine = this.#first(image, work, signal);
    this.#byImage.set(image, mine);
    try {
      await mine;
    } finally {
      this.#byImage.delete(image);
    }
  }

  async #first(image: string, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    if (this.#running >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      signal.throwIfAborted();
      await work();
      this.#known.add(image);
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
