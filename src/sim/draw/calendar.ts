/** Keeps faults that cannot be had at once apart: a host that is off cannot be rebooted. */
export class Calendar {
  readonly #freeFrom = new Map<string, number>();

  /** Takes `who` from `fromMs` to `toMs`; false when it is taken then. Ask in the order of time. */
  take(who: string, fromMs: number, toMs: number): boolean {
    if ((this.#freeFrom.get(who) ?? 0) > fromMs) return false;
    this.#freeFrom.set(who, toMs);
    return true;
  }
}
