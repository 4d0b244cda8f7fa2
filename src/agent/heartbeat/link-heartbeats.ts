import type { Worker } from "node:worker_threads";
import { assert } from "../../lib/assert.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Signs } from "./health.ts";
import type { Beater, HeartbeatNews } from "./heartbeat-loop.ts";
import type { Heartbeats } from "./heartbeats.ts";
import { SharedSigns } from "./shared-signs.ts";
import { startThread } from "./start-thread.ts";
import { sharedOffset, type ThreadData, type ToThread, type Way } from "./thread-messages.ts";

/** Heartbeats from a thread of their own, over a link of its own: what this thread does, or waits for, holds up none of them. */
export class LinkHeartbeats implements Heartbeats {
  readonly watchesAgent = true;
  readonly #signs = new SharedSigns();
  readonly #offsetMs: number;
  #way: Way;
  #worker: Worker | undefined;

  constructor(way: Way, clock: Clock) {
    this.#way = way;
    this.#offsetMs = sharedOffset(clock);
  }

  start(beater: Beater, heard: (news: HeartbeatNews) => void): void {
    const workerData: ThreadData = { beater, signs: this.#signs.buffer, way: this.#way };
    this.#worker = startThread(workerData, (message, worker) => {
      if (this.#worker !== worker) return;
      assert(message.type === "news", "this thread sends its heartbeats itself");
      heard({ ...message.news, sentAtMs: message.news.sentAtMs - this.#offsetMs });
    });
  }

  stop(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }

  show(signs: Signs): void {
    this.#signs.write(signs, this.#offsetMs);
  }

  /** Other servers, or another certificate: from the thread's next link on. */
  change(way: Pick<Way, "servers" | "material">): void {
    this.#way = { ...this.#way, ...way };
    this.#worker?.postMessage({ type: "way", way: this.#way } satisfies ToThread);
  }
}
