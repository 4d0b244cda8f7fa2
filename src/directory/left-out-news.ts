import { type LeftOut, leftOutWords } from "../model/endpoint-shares.ts";
import { ApiError } from "../model/errors.ts";
import { services } from "../model/service.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Store } from "../store/store.ts";
import type { Tx } from "../store/transaction.ts";
import type { LeftOutListener } from "./endpoints.ts";

interface Options {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** A rollout may come and go over the bound: what has settled is said. */
const FIRST_MS = 1_000;
/** Events are few, and for people: so many Services at once, and the next so much later. */
const MOST_AT_ONCE = 20;
const PAUSE_MS = 60_000;

/** Says as events of Services that nodes are not told of all of their endpoints, and that they are again. */
export class LeftOutNews implements LeftOutListener {
  readonly #options: Options;
  readonly #now = new Map<string, LeftOut>();
  /** Of which it was said last that something is left out. */
  readonly #said = new Set<string>();
  /** To be said, in the order in which it happened. */
  readonly #news = new Set<string>();
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: Options) {
    this.#options = options;
  }

  begin(): void {
    for (const service of this.#now.keys()) this.#news.add(service);
    this.#now.clear();
    this.#saySoon();
  }

  note(service: string, leftOut: LeftOut | undefined): void {
    if (leftOut === undefined) this.#now.delete(service);
    else this.#now.set(service, leftOut);
    this.#news.add(service);
    this.#saySoon();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #saySoon(): void {
    if (this.#timer !== undefined || this.#isStopped || this.#news.size === 0) return;
    const { clock } = this.#options;
    const waitMs = Math.max(FIRST_MS, this.#lastMs + PAUSE_MS - clock.monotonic());
    this.#timer = clock.setTimer(waitMs, () => {
      this.#timer = undefined;
      void this.#say();
    });
  }

  async #say(): Promise<void> {
    const { store, clock, log } = this.#options;
    const due = this.#takeDue();
    try {
      if (due.length > 0) {
        this.#lastMs = clock.monotonic();
        await store.update((tx) => {
          for (const service of due) sayOf(tx, service, this.#now.get(service));
        });
      }
    } catch (error) {
      // Events are for people: a store that takes nothing just now has greater troubles, and says so.
      if (!(error instanceof ApiError)) throw error;
      log.warn("an event of Services with too many endpoints was not written", { error: error.message });
    }
    this.#saySoon();
  }

  /** Who has come back to what was said of him meanwhile is no news. */
  #takeDue(): readonly string[] {
    const due: string[] = [];
    for (const service of this.#news) {
      if (due.length === MOST_AT_ONCE) break;
      this.#news.delete(service);
      const isLeftOut = this.#now.has(service);
      if (isLeftOut === this.#said.has(service)) continue;
      if (isLeftOut) this.#said.add(service);
      else this.#said.delete(service);
      due.push(service);
    }
    return due;
  }
}

function sayOf(tx: Tx, key: string, leftOut: LeftOut | undefined): void {
  const service = tx.get(services, key);
  if (service === undefined) return;
  const component = "endpoints";
  if (leftOut === undefined) {
    const message = "nodes are told of all of its endpoints again";
    recordEvent(tx, service, { type: "Normal", reason: "EndpointsComplete", message, component });
  } else {
    const message = leftOutWords(leftOut);
    recordEvent(tx, service, { type: "Warning", reason: "EndpointsLeftOut", message, component });
  }
}
