/** How much anybody may ask: requests by who asks and by where from, failed tokens by where from, streams that stay open. */
import { type BucketRules, TokenBucket } from "../lib/token-bucket.ts";
import { ApiError } from "../model/errors.ts";
import type { Clock } from "../seams/clock.ts";
import type { Actor } from "./actor.ts";

export interface GateLimits {
  /** Of one person or program. */
  readonly requestsPerSecond: number;
  readonly requestsBurst: number;
  /** Watches, followed logs, commands and forwarded ports that are open at once: of one, and of all. */
  readonly streamsEach: number;
  readonly streamsInAll: number;
}

/** Several people may come from one address, or one person with several tokens. */
const ADDRESS_FACTOR = 4;
/** Tokens that nobody has. Those that somebody has are let through all the same: an address is not locked out by its neighbour. */
const FAILED_TOKENS: BucketRules = { burst: 20, perSecond: 0.5 };
/** Who is remembered at once, per kind of bucket. Whoever is forgotten begins with a full one. */
const MOST_BUCKETS = 10_000;

export class Gate {
  readonly #limits: () => GateLimits;
  readonly #actors: Buckets;
  readonly #addresses: Buckets;
  readonly #failures: Buckets;
  readonly #streams = new Map<string, number>();
  #openStreams = 0;

  /** `limits` are read anew for each request: they may be changed at any time. */
  constructor(clock: Clock, limits: () => GateLimits) {
    this.#limits = limits;
    this.#actors = new Buckets(clock);
    this.#addresses = new Buckets(clock);
    this.#failures = new Buckets(clock);
  }

  /** Before anybody looks who it is. */
  fromAddress(address: string): void {
    const { requestsPerSecond, requestsBurst } = this.#limits();
    const rules = { burst: requestsBurst * ADDRESS_FACTOR, perSecond: requestsPerSecond * ADDRESS_FACTOR };
    const waitMs = this.#addresses.take(address, rules);
    if (waitMs > 0) throw tooMany(`${address} sends more than ${rules.perSecond} requests a second`, waitMs);
  }

  fromActor({ name }: Actor): void {
    const { requestsPerSecond, requestsBurst } = this.#limits();
    const waitMs = this.#actors.take(name, { burst: requestsBurst, perSecond: requestsPerSecond });
    if (waitMs > 0) throw tooMany(`"${name}" sends more than ${requestsPerSecond} requests a second`, waitMs);
  }

  /** A token that nobody has was sent from there. */
  failedToken(address: string): void {
    const waitMs = this.#failures.take(address, FAILED_TOKENS);
    if (waitMs > 0) throw tooMany(`too many wrong tokens came from ${address}`, waitMs);
  }

  /** Takes a place for something that stays open; the answer gives it back, and may be called twice. */
  openStream(name: string): () => void {
    const { streamsEach, streamsInAll } = this.#limits();
    const mine = this.#streams.get(name) ?? 0;
    if (mine >= streamsEach) throw tooMany(`"${name}" has ${mine} streams open, which is the most`, STREAM_WAIT_MS);
    if (this.#openStreams >= streamsInAll)
      throw tooMany(`${this.#openStreams} streams are open, which is the most of all together`, STREAM_WAIT_MS);
    this.#streams.set(name, mine + 1);
    this.#openStreams++;
    let isOpen = true;
    return () => {
      if (isOpen) this.#closeStream(name);
      isOpen = false;
    };
  }

  /** For metrics. */
  get openStreams(): number {
    return this.#openStreams;
  }

  #closeStream(name: string): void {
    this.#openStreams--;
    const left = (this.#streams.get(name) ?? 1) - 1;
    if (left > 0) this.#streams.set(name, left);
    else this.#streams.delete(name);
  }
}

/** A stream ends when somebody ends it: asking sooner is of little use. */
const STREAM_WAIT_MS = 5000;

function tooMany(what: string, waitMs: number): ApiError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new ApiError("TooManyRequests", `${what}; ask again in ${retryAfterSeconds} s`, { retryAfterSeconds });
}

/** Buckets by name, the ones used last at the end. */
class Buckets {
  readonly #clock: Clock;
  readonly #byName = new Map<string, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** 0 when there was a token; else how long until there is one. */
  take(name: string, rules: BucketRules): number {
    const nowMs = this.#clock.monotonic();
    const bucket = this.#byName.get(name) ?? new TokenBucket(rules, nowMs);
    this.#byName.delete(name);
    this.#byName.set(name, bucket);
    if (this.#byName.size > MOST_BUCKETS) this.#forgetOldest();
    return bucket.take(rules, nowMs) ? 0 : Math.max(1, bucket.readyMs(rules) - nowMs);
  }

  #forgetOldest(): void {
    const [oldest] = this.#byName.keys();
    if (oldest !== undefined) this.#byName.delete(oldest);
  }
}
