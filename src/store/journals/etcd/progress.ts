/** How far etcd's revisions were seen, for who waits for one of them. */
export class Progress {
  #seen = 0;
  readonly #waiting = new Set<() => void>();

  saw(revision: number): void {
    this.#seen = revision;
    for (const wake of this.#waiting) wake();
  }

  /** Resolves once everything up to `revision` was seen. */
  async reached(revision: number, signal: AbortSignal): Promise<void> {
    while (this.#seen < revision) await this.#next(signal);
    signal.throwIfAborted();
  }

  async #next(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => reject(signal.reason);
    this.#waiting.add(resolve);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      await promise;
    } finally {
      this.#waiting.delete(resolve);
      signal.removeEventListener("abort", stop);
    }
  }
}
