/** Requests from a host or from within a pod's network, at a steady pace, each on a connection of its own, while something else happens; which of them failed, and when. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { LAB_ENV } from "./command.ts";

export interface TrafficAsked {
  readonly url: string;
  readonly everyMs?: number;
  readonly timeoutMs?: number;
  /** Who is asked for the name in the URL, before each request. */
  readonly dns?: string;
  /** All on one connection: it counts as a failure when that ends. */
  readonly keeps?: boolean;
}

export interface TrafficFailure {
  readonly atMs: number;
  readonly words: string;
}

export interface TrafficReport {
  readonly requests: number;
  readonly failures: readonly TrafficFailure[];
  /** When requests were begun whose first packet got no answer, and the second did. */
  readonly secondTriesMs: readonly number[];
  /** What was answered, and how often. */
  readonly answers: Readonly<Record<string, number>>;
  /** The longest time in which nothing was answered. */
  readonly longestGapMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

export class Traffic {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #begun: Promise<void>;
  readonly #ended: Promise<TrafficReport>;
  #startedMs = 0;

  /** `enter`: words that bring a command to where the client is (`host.enter`, `podNetwork`). Resolves when it has begun. */
  static async start(enter: readonly string[], asked: TrafficAsked): Promise<Traffic> {
    const traffic = new Traffic(enter, asked);
    await traffic.#begun;
    return traffic;
  }

  private constructor(enter: readonly string[], asked: TrafficAsked) {
    const main = join(import.meta.dirname, "traffic-main.ts");
    const [file = "", ...args] = [...enter, process.execPath, main, JSON.stringify(asked)];
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], env: LAB_ENV });
    // It may be gone when it is told to end; its exit says so.
    this.#child.stdin.on("error", () => undefined);
    let [stdout, stderr] = ["", ""];
    this.#child.stderr.on("data", (data) => (stderr += data));
    this.#begun = new Promise((resolve, reject) => {
      this.#child.stdout.on("data", (data) => {
        stdout += data;
        if (this.#startedMs > 0 || !stdout.startsWith("begun\n")) return;
        this.#startedMs = performance.now();
        resolve();
      });
      this.#child.on("close", () => reject(new Error(`traffic to ${asked.url} did not begin:\n${stderr}`)));
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on("close", () => {
        const last = stdout.trim().split("\n").at(-1) ?? "";
        if (last.startsWith("{")) resolve(JSON.parse(last) as TrafficReport);
        else reject(new Error(`traffic to ${asked.url} ended early:\n${stderr}`));
      });
    });
    // Whoever stops it hears of it.
    this.#ended.catch(() => undefined);
  }

  /** Milliseconds since it has begun, to be compared with `atMs` of failures. */
  get nowMs(): number {
    return performance.now() - this.#startedMs;
  }

  stop(): Promise<TrafficReport> {
    this.#child.stdin.end();
    return this.#ended;
  }
}

/** Traffic while `work` is done; it ends with it, also when that fails. */
export async function withTraffic(
  enter: readonly string[],
  asked: TrafficAsked,
  work: (traffic: Traffic) => Promise<void>,
): Promise<TrafficReport> {
  const traffic = await Traffic.start(enter, asked);
  try {
    await work(traffic);
  } finally {
    await traffic.stop();
  }
  return traffic.stop();
}

/** When the last request was begun that found somebody gone, whether it failed or came through with its second packet; 0: none did. */
export function lastTroubleMs({ failures, secondTriesMs }: TrafficReport): number {
  return Math.max(0, failures.at(-1)?.atMs ?? 0, secondTriesMs.at(-1) ?? 0);
}

export function assertNoneFailed(report: TrafficReport, what: string): void {
  assert.equal(report.failures.length, 0, `${what}: ${wordsOf(report)}`);
}

/** For messages: how many of how many, and the first and last of them by second. */
export function wordsOf({ requests, failures, secondTriesMs, longestGapMs }: TrafficReport): string {
  const shown = failures.length > 8 ? [...failures.slice(0, 4), ...failures.slice(-4)] : failures;
  const lines = shown.map(({ atMs, words }) => `  ${(atMs / 1000).toFixed(2)} s: ${words}`);
  const again = secondTriesMs.length > 0 ? `, ${secondTriesMs.length} by a second packet` : "";
  return [`${failures.length} of ${requests} failed${again}, longest gap ${longestGapMs} ms`, ...lines].join("\n");
}
