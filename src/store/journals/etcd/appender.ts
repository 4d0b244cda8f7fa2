/** What one leader writes: batch after batch, each compared with the leadership and with the batch before it. */
import type { Clock } from "../../../seams/clock.ts";
import type { Log } from "../../../seams/log.ts";
import { JournalDoubt, type JournalEntry, JournalRefusal } from "../../journal.ts";
import { type BatchLimits, type BatchPlan, planBatch, settleOps } from "./batch-plan.ts";
import type { EtcdClient } from "./client.ts";
import { fencedWrite } from "./fenced-write.ts";
import type { Keys } from "./keys.ts";
import type { Mirror } from "./mirror.ts";
import type { Op } from "./rpc/messages.ts";
import type { Term } from "./term.ts";

export interface AppenderOptions {
  readonly client: Pick<EtcdClient, "txn">;
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: Keys;
  readonly limits: BatchLimits;
  readonly term: Term;
  readonly attemptMs: number;
  /** etcd's revision of the head when this leader won. */
  readonly headRevision: number;
}

/** What etcd keeps beside a key and its value. */
const ROW_BYTES = 300;

export class Appender {
  readonly #options: AppenderOptions;
  #headRevision: number;
  #written = 0;
  /** Transactions that the rows still need; what they do is durable already. */
  #unsettled: (readonly Op[])[] = [];

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#headRevision = options.headRevision;
  }

  /** About how many bytes of etcd's history are this leader's. */
  get written(): number {
    return this.#written;
  }

  /** Takes up what an earlier leader has left: pieces of a batch that counts, and of batches that never came to be. */
  async takeOver(mirror: Mirror, stagedId: string | undefined): Promise<void> {
    const { keys, limits } = this.#options;
    for (const [key, entries] of stagedId === undefined ? [] : mirror.piecesOf(stagedId)) {
      this.#unsettled.push(settleOps(key, entries, keys, limits));
    }
    await this.#settle();
    // By name: should it come late, it must not remove what this leader stages.
    for (const key of mirror.leftovers(stagedId)) await this.#write([{ remove: { key } }]);
  }

  async append(entries: readonly JournalEntry[]): Promise<void> {
    const { keys, limits, term } = this.#options;
    const plan = planBatch(entries, term.term, keys, limits);
    await this.#settle();
    await this.#stage(plan);
    const [headRevision, revision] = [this.#headRevision, entries.at(-1)?.revision ?? 0];
    this.#headRevision = await fencedWrite(this.#options, { ops: plan.commit, headRevision, revision });
    this.#unsettled.push(...plan.settle);
    for (const { key, json } of entries) this.#written += ROW_BYTES + key.length + (json?.length ?? 0);
  }

  /** Works what was staged into the rows. Needed before the next batch, not for this one to count. */
  async settleSoon(): Promise<void> {
    try {
      await this.#settle();
    } catch (error) {
      this.#options.log.warn("a large batch is written, and not yet worked into the rows", {
        why: (error as Error).message,
      });
    }
  }

  async #stage({ stage }: BatchPlan): Promise<void> {
    for (const { key, value } of stage) await this.#write([{ put: { key, value } }]);
  }

  async #settle(): Promise<void> {
    for (;;) {
      const ops = this.#unsettled[0];
      if (!ops) return;
      await this.#write(ops);
      this.#unsettled.shift();
    }
  }

  /** Before the head says so, nothing of it counts: whatever became of it, the batch is refused. */
  async #write(ops: readonly Op[]): Promise<void> {
    try {
      await fencedWrite(this.#options, { ops, headRevision: this.#headRevision });
    } catch (error) {
      throw error instanceof JournalDoubt ? new JournalRefusal(error.message) : error;
    }
  }
}
