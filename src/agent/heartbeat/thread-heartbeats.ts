import type { Worker } from "node:worker_threads";
import type { Heartbeat } from "../../model/heartbeat.ts";
import type { Clock } from "../../seams/clock.ts";
import { LinkError } from "../../seams/link.ts";
import type { Control } from "../control.ts";
import type { Signs } from "./health.ts";
import type { Beater, HeartbeatNews } from "./heartbeat-loop.ts";
import type { Heartbeats } from "./heartbeats.ts";
import { SharedSigns } from "./shared-signs.ts";
import { startThread } from "./start-thread.ts";
import { sharedOffset, type ThreadData, type ToThread } from "./thread-messages.ts";

/** Heartbeats from a thread of their own (thread-main.ts), sent through `control`. */
export class ThreadHeartbeats implements Heartbeats {
  readonly watchesAgent = true;
  readonly #control: Pick<Control, "heartbeat">;
  readonly #signs = new SharedSigns();
  readonly #offsetMs: number;
  #worker: Worker | undefined;

  constructor(control: Pick<Control, "heartbeat">, clock: Clock) {
    this.#control = control;
    this.#offsetMs = sharedOffset(clock);
  }

  start(beater: Beater, heard: (news: HeartbeatNews) => void): void {
    const workerData: ThreadData = { beater, signs: this.#signs.buffer };
    this.#worker = startThread(workerData, (message, worker) => {
      if (this.#worker !== worker) return;
      if (message.type === "beat") void this.#send(worker, message.id, message.beat);
      else heard({ ...message.news, sentAtMs: message.news.sentAtMs - this.#offsetMs });
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

  async #send(worker: Worker, id: number, beat: Heartbeat): Promise<void> {
    const answer = (message: ToThread) => worker.postMessage(message);
    try {
      answer({ type: "answer", id, answer: await this.#control.heartbeat(beat) });
    } catch (error) {
      const refused = error instanceof LinkError && error.refused;
      answer({ type: "failed", id, message: String(error), refused });
    }
  }
}
