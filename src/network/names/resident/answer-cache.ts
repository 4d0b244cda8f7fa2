import type { Clock } from "../../../seams/clock.ts";
import type { UpstreamAnswer } from "../wire/read-answer.ts";

const MOST_ENTRIES = 5000;
const MOST_BYTES = 4 * 1024 * 1024;
const LONGEST_SECONDS = 3600;

interface Kept {
  readonly answer: UpstreamAnswer;
  readonly atMs: number;
  readonly untilMs: number;
}

export interface CachedAnswer {
  readonly answer: UpstreamAnswer;
  readonly ageSeconds: number;
}

/** Answers of others, for as long as they hold; the ones asked for least lately go first when there are too many. */
export class AnswerCache {
  readonly #kept = new Map<string, Kept>();
  readonly #clock: Clock;
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): CachedAnswer | undefined {
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    this.#drop(key, kept);
    const nowMs = this.#clock.monotonic();
    if (nowMs >= kept.untilMs) return undefined;
    this.#keep(key, kept);
    return { answer: kept.answer, ageSeconds: Math.floor((nowMs - kept.atMs) / 1000) };
  }

  put(key: string, answer: UpstreamAnswer): void {
    const seconds = Math.min(answer.ttlSeconds ?? 0, LONGEST_SECONDS);
    if (seconds <= 0) return;
    const before = this.#kept.get(key);
    if (before) this.#drop(key, before);
    const atMs = this.#clock.monotonic();
    this.#keep(key, { answer, atMs, untilMs: atMs + seconds * 1000 });
    for (const [oldest, kept] of this.#kept) {
      if (this.#kept.size <= MOST_ENTRIES && this.#bytes <= MOST_BYTES) return;
      this.#drop(oldest, kept);
    }
  }

  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.set(key, kept);
    this.#bytes += kept.answer.bytes.length;
  }

  #drop(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#bytes -= kept.answer.bytes.length;
  }
}
