import type { LeaseTerms } from "../model/heartbeat.ts";
import type { Clock } from "../seams/clock.ts";
import type { HeartbeatNews } from "./heartbeat/heartbeat-loop.ts";

/** Until the control plane has said how often it is to hear of this node. */
const USUAL_HEARTBEAT_MS = 1_000;
/** The control plane hears of this node: the last heartbeat that was answered is not older than so many intervals. */
const HEARD_INTERVALS = 3;
/** After so many without an answer, what waits to be tried again is tried at once. */
const HURRY_INTERVALS = 2;
/** After so many intervals without an answer, what this node has said may have been replaced by others' words. */
const GAP_INTERVALS = 5;

/** What an answer to a heartbeat means after those before it. */
export interface Return {
  /** From not being heard: what was said of this node meanwhile may be answered. */
  readonly isBack: boolean;
  /** What waits to be tried again is worth trying now. */
  readonly isLate: boolean;
  /** Assignments may have been missed, or written over. */
  readonly isGap: boolean;
}

/** Whether the control plane hears of this node, by the heartbeats that it has answered, and on which terms. */
export class LastHeard {
  readonly #clock: Clock;
  #terms: LeaseTerms | undefined;
  #sentAtMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined while nobody has said. */
  get terms(): LeaseTerms | undefined {
    return this.#terms;
  }

  get heartbeatMs(): number {
    return this.#terms?.heartbeatMs ?? USUAL_HEARTBEAT_MS;
  }

  get isHeard(): boolean {
    const sentAtMs = this.#sentAtMs ?? Number.NEGATIVE_INFINITY;
    return this.#clock.monotonic() - sentAtMs <= HEARD_INTERVALS * this.heartbeatMs;
  }

  note({ terms, sentAtMs }: Pick<HeartbeatNews, "terms" | "sentAtMs">): Return {
    if (terms !== undefined) this.#terms = terms;
    const wasHeard = this.isHeard;
    const gapMs = sentAtMs - (this.#sentAtMs ?? sentAtMs);
    this.#sentAtMs = sentAtMs;
    return {
      isBack: !wasHeard && this.isHeard,
      isLate: !wasHeard || gapMs > HURRY_INTERVALS * this.heartbeatMs,
      isGap: gapMs > GAP_INTERVALS * this.heartbeatMs,
    };
  }
}
