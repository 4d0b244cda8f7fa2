import { type BucketRules, TokenBucket } from "../lib/token-bucket.ts";

const MOST_KNOWN = 1000;

interface Known {
  readonly bucket: TokenBucket;
  leftOut: number;
}

/** Lets a few lines of one kind through and counts the rest, for as many kinds as fit in memory; the ones unseen longest are forgotten. */
export class Restraint {
  readonly #rules: BucketRules;
  readonly #known = new Map<string, Known>();

  constructor(rules: BucketRules) {
    this.#rules = rules;
  }

  /** How many like it were left out before it; undefined: it is left out itself. */
  take(key: string, nowMs: number): number | undefined {
    const known = this.#known.get(key) ?? { bucket: new TokenBucket(this.#rules, nowMs), leftOut: 0 };
    this.#known.delete(key);
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    if (!known.bucket.take(this.#rules, nowMs)) {
      known.leftOut++;
      return undefined;
    }
    const { leftOut } = known;
    known.leftOut = 0;
    return leftOut;
  }
}
