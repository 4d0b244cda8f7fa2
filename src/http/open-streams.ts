/** What people and programs with tokens have open, so that it can be ended when their rights are taken back. */
export class OpenStreams {
  readonly #cuts = new Map<string, Set<() => void>>();

  /** `cut` ends the connection. Calling the answer forgets it. */
  add(name: string, cut: () => void): () => void {
    const mine = this.#cuts.get(name) ?? new Set();
    this.#cuts.set(name, mine);
    mine.add(cut);
    return () => {
      mine.delete(cut);
      if (mine.size === 0 && this.#cuts.get(name) === mine) this.#cuts.delete(name);
    };
  }

  /** How many there were. */
  cut(name: string): number {
    const mine = [...(this.#cuts.get(name) ?? [])];
    for (const cut of mine) cut();
    return mine.length;
  }
}
