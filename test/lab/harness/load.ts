/** Requests at a steady pace, each on a connection of its own, and what became of them. */
import { request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

export interface LoadReport {
  readonly requests: number;
  /** What went wrong, with the time since the start. */
  readonly failures: readonly string[];
  /** The longest time in which nothing was answered. */
  readonly longestGapMs: number;
}

export interface LoadOptions {
  /** Where the next request goes; undefined counts as a failure, because a balancer would have nowhere to send it. */
  readonly next: () => string | undefined;
  readonly everyMs?: number;
  readonly timeoutMs?: number;
}

export class Load {
  readonly #options: LoadOptions;
  readonly #startedMs = performance.now();
  readonly #failures: string[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #pacing: Promise<void>;
  #requests = 0;
  #isOver = false;
  #lastAnswerMs = performance.now();
  #longestGapMs = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#pacing = this.#pace();
  }

  async stop(): Promise<LoadReport> {
    this.#isOver = true;
    await this.#pacing;
    await Promise.all(this.#underWay);
    return { requests: this.#requests, failures: this.#failures, longestGapMs: this.#longestGapMs };
  }

  async #pace(): Promise<void> {
    while (!this.#isOver) {
      const one: Promise<void> = this.#one().finally(() => this.#underWay.delete(one));
      this.#underWay.add(one);
      await delay(this.#options.everyMs ?? 25);
    }
  }

  async #one(): Promise<void> {
    this.#requests++;
    const url = this.#options.next();
    try {
      if (url === undefined) throw new Error("nowhere to go");
      await get(url, this.#options.timeoutMs ?? 3000);
      const now = performance.now();
      this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAnswerMs);
      this.#lastAnswerMs = now;
    } catch (error) {
      const at = ((performance.now() - this.#startedMs) / 1000).toFixed(1);
      this.#failures.push(`${at} s: ${url ?? ""} ${(error as Error).message}`);
    }
  }
}

function get(url: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`answered ${response.statusCode}`)),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}
