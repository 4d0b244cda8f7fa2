import { TokenBucket } from "../lib/token-bucket.ts";

/** Of what is said in calls. A host of 1,000 pods says everything anew in a few megabytes. */
const CHARS = { burst: 32 * 1024 * 1024, perSecond: 4 * 1024 * 1024 };
/** Calls, and the reports and events in them. */
const ITEMS = { burst: 8_000, perSecond: 1_000 };
/** Ten times as often as the shortest setting lets an agent beat. */
const BEATS = { burst: 500, perSecond: 100 };

/** What one node may say, over all its links: more is not listened to, so that it costs the others nothing. */
export class Allowance {
  readonly #chars: TokenBucket;
  readonly #items: TokenBucket;
  readonly #beats: TokenBucket;

  constructor(nowMs: number) {
    this.#chars = new TokenBucket(CHARS, nowMs);
    this.#items = new TokenBucket(ITEMS, nowMs);
    this.#beats = new TokenBucket(BEATS, nowMs);
  }

  beat(nowMs: number): boolean {
    return this.#beats.take(BEATS, nowMs);
  }

  /** Before it is read. */
  chars(count: number, nowMs: number): boolean {
    return this.#chars.take(CHARS, nowMs, count);
  }

  items(count: number, nowMs: number): boolean {
    return this.#items.take(ITEMS, nowMs, count);
  }

  /** Nothing of it is remembered that a new one would not know. */
  isFull(nowMs: number): boolean {
    return this.#chars.isFull(CHARS, nowMs) && this.#items.isFull(ITEMS, nowMs) && this.#beats.isFull(BEATS, nowMs);
  }
}
