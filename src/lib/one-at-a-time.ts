/** Pieces of work that must not overlap: each begins when the one before has ended, well or not. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** What becomes of the work is told to whoever asked for it, and to nobody else. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch((error: unknown) => error);
    return done;
  }

  /** Resolves when all that was asked for so far has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
