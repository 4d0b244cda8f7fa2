/** One watch over everything below the prefix, kept up over all members of the etcd cluster, without a gap. */
import type { Clock, Timer } from "../../../seams/clock.ts";
import type { Log } from "../../../seams/log.ts";
import type { EtcdClient } from "./client.ts";
import type { Call } from "./rpc/grpc-channel.ts";
import { GRPC, GrpcError } from "./rpc/grpc-error.ts";
import { decodeWatch, encodeProgress, encodeWatch, type WatchEvent, type WatchResponse } from "./rpc/messages.ts";
import { readAs } from "./rpc/read-as.ts";
import { inWords } from "./trouble.ts";

export interface WatcherOptions {
  readonly client: Pick<EtcdClient, "watch" | "reset" | "forgetToken">;
  readonly clock: Clock;
  readonly log: Log;
  readonly key: string;
  readonly end: string;
  /** Events after this revision of etcd. */
  readonly after: number;
  readonly clusterId: string;
  /** Everything of one revision of etcd; in order. */
  readonly revision: (revision: number, events: readonly WatchEvent[]) => void;
  readonly lost: (reason: string) => void;
}

/** Silence after which the member is asked for a sign of life, and after which another is tried. */
const ASK_AFTER_MS = 1_000;
const LEAVE_AFTER_MS = 3_000;
const AGAIN_MS = 200;

export class Watcher {
  readonly #options: WatcherOptions;
  #seen: number;
  #nth = 0;
  #call: Call | undefined;
  /** Counts attempts: what an earlier one still says is not listened to. */
  #attempt = 0;
  #fragments: WatchEvent[] = [];
  #heardMs = 0;
  #timer: Timer | undefined;
  #isStopped = false;
  #trouble: string | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#seen = options.after;
  }

  start(): void {
    this.#open();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#call?.cancel();
  }

  #open(): void {
    if (this.#isStopped) return;
    const attempt = ++this.#attempt;
    this.#fragments = [];
    this.#call = undefined;
    this.#heardMs = this.#options.clock.monotonic();
    this.#keepAlive(attempt);
    const isMine = () => attempt === this.#attempt && !this.#isStopped;
    const { client, key, end } = this.#options;
    const listener = {
      message: (bytes: Buffer) => {
        if (isMine()) this.#hear(bytes);
      },
      ended: (error: GrpcError | undefined) => {
        if (isMine()) this.#again(error);
      },
    };
    client.watch(this.#nth, listener).then(
      (call) => {
        if (!isMine()) return call.cancel();
        this.#call = call;
        call.send(encodeWatch({ key, end, revision: this.#seen + 1 }));
      },
      (error: GrpcError) => {
        if (isMine()) this.#again(error);
      },
    );
  }

  /** A member that stands still keeps its connections: only its silence tells. */
  #keepAlive(attempt: number): void {
    const { clock, client } = this.#options;
    this.#timer?.cancel();
    const fromMs = clock.monotonic();
    this.#timer = clock.setTimer(ASK_AFTER_MS, () => {
      if (attempt !== this.#attempt || this.#isStopped) return;
      // While this process stood still it could not listen either.
      const stoodMs = clock.monotonic() - fromMs - ASK_AFTER_MS;
      if (stoodMs > ASK_AFTER_MS) this.#heardMs += stoodMs;
      const silentMs = clock.monotonic() - this.#heardMs;
      if (silentMs >= LEAVE_AFTER_MS) {
        client.reset(this.#nth);
        return this.#again(undefined);
      }
      if (silentMs >= ASK_AFTER_MS) this.#call?.send(encodeProgress());
      this.#keepAlive(attempt);
    });
  }

  #again(error: GrpcError | undefined): void {
    const { client, clock, log } = this.#options;
    const words = error ? inWords(error) : "it says nothing";
    if (this.#trouble === undefined) log.warn("the watch on etcd is opened again", { why: words });
    this.#trouble = words;
    if (/invalid auth token|revision in header is old/.test(words)) client.forgetToken();
    this.#call?.cancel();
    this.#attempt++;
    this.#nth++;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(AGAIN_MS, () => this.#open());
  }

  #hear(bytes: Buffer): void {
    let response: WatchResponse;
    try {
      response = readAs(decodeWatch, bytes);
    } catch (error) {
      this.#again(error as GrpcError);
      return;
    }
    this.#take(response);
  }

  #take(response: WatchResponse): void {
    this.#heardMs = this.#options.clock.monotonic();
    const { header, canceled, compactRevision, cancelReason } = response;
    if (header.clusterId !== this.#options.clusterId) this.#lose("another etcd cluster answers at this address");
    else if (compactRevision > 0) this.#lose(`etcd has compacted its history up to ${compactRevision}`);
    else if (canceled) this.#again(new GrpcError(GRPC.unavailable, cancelReason, true));
    else this.#gather(response);
  }

  #gather({ events, fragment }: WatchResponse): void {
    this.#trouble = undefined;
    for (const event of events) this.#fragments.push(event);
    if (fragment) return;
    const whole = this.#fragments;
    this.#fragments = [];
    this.#deliver(whole);
  }

  /** etcd does not divide a revision between answers; of fragments all are here. */
  #deliver(events: readonly WatchEvent[]): void {
    for (let at = 0; at < events.length; ) {
      const revision = events[at]?.kv.modRevision ?? 0;
      let end = at + 1;
      while (end < events.length && events[end]?.kv.modRevision === revision) end++;
      if (revision > this.#seen) {
        this.#seen = revision;
        this.#options.revision(revision, events.slice(at, end));
      }
      if (this.#isStopped) return;
      at = end;
    }
  }

  #lose(reason: string): void {
    this.stop();
    this.#options.lost(reason);
  }
}
