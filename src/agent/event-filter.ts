import type { Clock } from "../seams/clock.ts";
import type { NodeEvent } from "./control.ts";

/** The same words about the same pod are said once in this time. */
const SAME_WORDS_MS = 10_000;
/** Kubernetes' spam filter, a little more generous: this many at once per pod, then one per interval. */
const BURST = 30;
const REFILL_MS = 10_000;

interface PodBudget {
  tokens: number;
  atMs: number;
  readonly said: Map<string, number>;
}

/** Lets through what a person would want to read: a pod that fails in a loop cannot drown the others. */
export class EventFilter {
  readonly #clock: Clock;
  readonly #budgets = new Map<string, PodBudget>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  admits({ podUid, reason, message }: NodeEvent): boolean {
    const now = this.#clock.monotonic();
    const budget = this.#budgets.get(podUid) ?? { tokens: BURST, atMs: now, said: new Map() };
    this.#budgets.set(podUid, budget);
    for (const [words, at] of budget.said) if (now - at >= SAME_WORDS_MS) budget.said.delete(words);
    budget.tokens = Math.min(BURST, budget.tokens + (now - budget.atMs) / REFILL_MS);
    budget.atMs = now;
    const words = `${reason} ${message}`;
    if (budget.tokens < 1 || budget.said.has(words)) return false;
    budget.tokens--;
    budget.said.set(words, now);
    return true;
  }

  forget(podUid: string): void {
    this.#budgets.delete(podUid);
  }
}
