export interface BucketRules {
  /** So many at once after a rest. */
  readonly burst: number;
  readonly perSecond: number;
}

/** How often something may happen: a store of tokens that fills up at a constant pace. */
export class TokenBucket {
  #tokens: number;
  #atMs: number;

  constructor({ burst }: BucketRules, nowMs: number) {
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** When there is a token. `rules` may change meanwhile. */
  readyMs({ perSecond }: BucketRules): number {
    if (this.#tokens >= 1) return this.#atMs;
    return perSecond > 0 ? this.#atMs + ((1 - this.#tokens) / perSecond) * 1000 : Number.POSITIVE_INFINITY;
  }

  take(rules: BucketRules, nowMs: number, count = 1): boolean {
    const gained = (Math.max(0, nowMs - this.#atMs) * rules.perSecond) / 1000;
    this.#tokens = Math.min(rules.burst, this.#tokens + gained);
    this.#atMs = Math.max(this.#atMs, nowMs);
    // A sum of fractions may end a hair below the whole.
    if (this.#tokens < count - 1e-9) return false;
    this.#tokens = Math.max(0, this.#tokens - count);
    return true;
  }

  /** Nothing of it is remembered that a new one would not know. */
  isFull(rules: BucketRules, nowMs: number): boolean {
    return this.#tokens + (Math.max(0, nowMs - this.#atMs) * rules.perSecond) / 1000 >= rules.burst;
  }
}
