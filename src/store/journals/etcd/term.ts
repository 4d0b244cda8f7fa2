/**
 * The time that this process leads. Its right to write is the leader key, which every write compares; `lost` is this
 * process's own earlier knowledge of it. The lease behind it is ours, not etcd's: the pulse key changes as long as the
 * leader lives, and another takes over when it has not changed for the lease. The leader gives up before that, by its own
 * clock from before the pulse was sent, so that two never believe that they lead.
 */
import type { Clock, Timer } from "../../../seams/clock.ts";
import type { Log } from "../../../seams/log.ts";
import type { Leadership } from "../../journal.ts";
import type { EtcdClient } from "./client.ts";
import type { Keys } from "./keys.ts";
import type { TxnResponse } from "./rpc/messages.ts";
import type { LeaderRecord } from "./sight.ts";
import { inWords, verdictOf } from "./trouble.ts";

export interface TermOptions {
  readonly client: Pick<EtcdClient, "txn">;
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: Keys;
  readonly ttlMs: number;
  readonly record: LeaderRecord;
  /** Of the leader key, as this process has written it. */
  readonly leaderRevision: number;
  /** Monotonic, from before the key was written. */
  readonly sinceMs: number;
  /** Called in the same turn, before `lost` aborts. */
  readonly ended: () => void;
}

/** Of the lease: what the leader keeps for clocks that run at different speeds, how often it shows life, and when another member is asked. */
const MARGIN = 0.1;
const PULSE = 1 / 6;
const LATE = 1 / 5;
const AGAIN_MS = 50;
const NO_ANSWER = "etcd did not answer";

export class Term implements Leadership {
  readonly leaderRevision: number;
  readonly #options: TermOptions;
  readonly #lost = new AbortController();
  #validUntilMs: number;
  #deadline: Timer | undefined;
  #trouble = NO_ANSWER;

  constructor(options: TermOptions) {
    this.#options = options;
    this.leaderRevision = options.leaderRevision;
    this.#validUntilMs = this.#untilFrom(options.sinceMs);
  }

  get term(): number {
    return this.#options.record.term;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** What every write of this term compares. */
  get fence(): { readonly key: string; readonly modRevision: number } {
    return { key: this.#options.keys.leader, modRevision: this.leaderRevision };
  }

  start(): void {
    this.#armDeadline();
    void this.#beat();
  }

  /** Whether this process may write now; finds out at once when it stood still for too long. */
  get isValid(): boolean {
    if (!this.#lost.signal.aborted && this.#options.clock.monotonic() >= this.#validUntilMs) {
      this.lose(`its lease could not be renewed in time: ${this.#trouble}`);
    }
    return !this.#lost.signal.aborted;
  }

  lose(why: string): void {
    if (this.#lost.signal.aborted) return;
    this.#deadline?.cancel();
    this.#options.ended();
    this.#lost.abort(new Error(why));
  }

  async resign(): Promise<void> {
    const { client, keys, record, ttlMs, log } = this.#options;
    const wasLeading = this.isValid;
    this.lose("it gave the leadership up");
    if (!wasLeading) return;
    const value = JSON.stringify({ ...record, hasResigned: true } satisfies LeaderRecord);
    try {
      await client.txn({ unchanged: [this.fence], apply: [{ put: { key: keys.leader, value } }] }, ttlMs);
    } catch (error) {
      log.warn("the others will have to wait for the lease to run out", { why: inWords(error) });
    }
  }

  /** One after the other in their time, also while earlier ones are under way: an etcd may take its time to answer. */
  async #beat(): Promise<void> {
    while (this.isValid) await this.#rest(this.#renew());
  }

  /** Until the next is due; one that has failed is soon followed by another. */
  async #rest(renewed: Promise<boolean>): Promise<void> {
    const { clock, ttlMs } = this.#options;
    const failed = new AbortController();
    void renewed.then((isRenewed) => isRenewed || failed.abort(new Error(this.#trouble)));
    const untilMs = (ms: number, signal: AbortSignal) =>
      // Rejects with nothing but the failure and the loss, which are looked at.
      clock.sleep(ms, signal).catch((reason: unknown) => reason);
    await untilMs(ttlMs * PULSE, AbortSignal.any([this.lost, failed.signal]));
    if (failed.signal.aborted) await untilMs(AGAIN_MS, this.lost);
  }

  /** The answer counts from when it was asked for, however late it comes. */
  async #renew(): Promise<boolean> {
    const sentMs = this.#options.clock.monotonic();
    const isRenewed = await this.#pulse();
    if (!isRenewed) return false;
    this.#trouble = NO_ANSWER;
    this.#validUntilMs = Math.max(this.#validUntilMs, this.#untilFrom(sentMs));
    this.#armDeadline();
    return true;
  }

  async #pulse(): Promise<boolean> {
    const { client, keys, ttlMs, clock } = this.#options;
    try {
      const value = String(clock.now());
      const request = { unchanged: [this.fence], apply: [{ put: { key: keys.pulse, value } }] };
      return this.#judge(await client.txn(request, ttlMs, ttlMs * LATE));
    } catch (error) {
      this.#trouble = inWords(error);
      if (verdictOf(error) !== "full") return false;
    }
    return this.#proveByReading();
  }

  /** An etcd that is full takes no pulse, and no new leader either: that the key is ours still is proof enough. */
  async #proveByReading(): Promise<boolean> {
    const { client, ttlMs } = this.#options;
    try {
      return this.#judge(await client.txn({ unchanged: [this.fence], apply: [] }, ttlMs, ttlMs * LATE));
    } catch (error) {
      this.#trouble = inWords(error);
      return false;
    }
  }

  #judge({ succeeded }: TxnResponse): boolean {
    if (!succeeded) this.lose("another server has taken the leadership over");
    return succeeded;
  }

  #untilFrom(sentMs: number): number {
    return sentMs + this.#options.ttlMs * (1 - MARGIN);
  }

  #armDeadline(): void {
    const { clock } = this.#options;
    this.#deadline?.cancel();
    if (this.#lost.signal.aborted) return;
    this.#deadline = clock.setTimer(this.#validUntilMs - clock.monotonic(), () => void this.isValid);
  }
}
