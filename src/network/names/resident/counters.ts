import { RCODE } from "../wire/constants.ts";

export interface NameCounts {
  readonly queries: number;
  readonly ok: number;
  readonly noSuchName: number;
  readonly failed: number;
  readonly refused: number;
  readonly forwarded: number;
  readonly fromCache: number;
  /** From somebody who is not answered here. */
  readonly strangers: number;
  /** Above what one client, or all together, may ask. */
  readonly limited: number;
  readonly malformed: number;
  /** Answers that nobody took: too many were waiting to leave. */
  readonly dropped: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
}

type Counted = Exclude<keyof NameCounts, "p50Micros" | "p99Micros">;

/** Buckets of latency, each a quarter longer than the one before: 1 µs to 10 s. */
const BUCKETS = 73;
const GROWTH = Math.log(1.25);

export class Counters {
  readonly #counts: Record<Counted, number> = {
    ...{ queries: 0, ok: 0, noSuchName: 0, failed: 0, refused: 0, forwarded: 0, fromCache: 0 },
    ...{ strangers: 0, limited: 0, malformed: 0, dropped: 0 },
  };
  readonly #latencies = new Float64Array(BUCKETS);

  count(what: Counted): void {
    this.#counts[what]++;
  }

  answered(rcode: number, millis: number): void {
    this.count(wordOf(rcode));
    const bucket = Math.floor(Math.log(Math.max(1, millis * 1000)) / GROWTH);
    const at = Math.min(BUCKETS - 1, bucket);
    this.#latencies[at] = (this.#latencies[at] ?? 0) + 1;
  }

  get counts(): NameCounts {
    return { ...this.#counts, p50Micros: this.#quantile(0.5), p99Micros: this.#quantile(0.99) };
  }

  /** The upper end of the bucket in which it lies. */
  #quantile(share: number): number {
    const total = this.#latencies.reduce((sum, count) => sum + count, 0);
    let seen = 0;
    for (const [at, count] of this.#latencies.entries()) {
      seen += count;
      if (count > 0 && seen >= total * share) return Math.round(Math.exp((at + 1) * GROWTH));
    }
    return 0;
  }
}

function wordOf(rcode: number): Counted {
  if (rcode === RCODE.ok) return "ok";
  if (rcode === RCODE.noSuchName) return "noSuchName";
  return rcode === RCODE.refused ? "refused" : "failed";
}
