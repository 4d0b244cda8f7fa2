/** Something that stands still for a while; who wants through waits, and goes on in order of arrival. */
export class Gate {
  readonly #worldMs: () => number;
  readonly #at: (worldMs: number, fn: () => void) => void;
  #untilMs = 0;
  #waiting: (() => void)[] = [];

  constructor(worldMs: () => number, at: (worldMs: number, fn: () => void) => void) {
    this.#worldMs = worldMs;
    this.#at = at;
  }

  get isClosed(): boolean {
    return this.#worldMs() < this.#untilMs;
  }

  close(ms: number): void {
    this.#untilMs = Math.max(this.#untilMs, this.#worldMs() + ms);
    this.#at(this.#untilMs, () => this.#open());
  }

  /** The host has lost its power: who waited is dead. */
  reset(): void {
    this.#untilMs = 0;
    this.#waiting = [];
  }

  /** At once when it is open. */
  async pass(): Promise<void> {
    while (this.isClosed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #open(): void {
    if (this.isClosed) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
