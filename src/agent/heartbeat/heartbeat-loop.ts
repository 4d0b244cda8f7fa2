import type { Heartbeat, HeartbeatAnswer, LeaseTerms } from "../../model/heartbeat.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import { LinkError } from "../../seams/link.ts";
import type { HealthWord } from "./health.ts";

/** Who beats. */
export interface Beater {
  readonly node: string;
  readonly bootId: string;
  readonly session: string;
}

/** What came of one attempt. `sentAtMs` is of the monotonic clock, when the attempt began. */
export interface HeartbeatNews {
  readonly sentAtMs: number;
  /**
   * refused: the control plane's program does not run; it gives everyone a full new lease when it starts. withheld: it
   * gives, or has given, this node's exclusive pods away.
   */
  readonly outcome: "renewed" | "withheld" | "refused";
  readonly known: boolean;
  /** Absent with `refused`. */
  readonly terms?: LeaseTerms;
}

export interface HeartbeatLoopOptions {
  readonly beater: Beater;
  readonly clock: Clock;
  /** Rejects when nobody answered; with a LinkError that is `refused` when nobody listens there. */
  send(beat: Heartbeat): Promise<HeartbeatAnswer>;
  /** Looked at for every heartbeat: must not wait for anything. */
  health(): HealthWord;
  heard(news: HeartbeatNews): void;
}

/** Until the control plane says how often. */
const FIRST_HEARTBEAT_MS = 1_000;

/**
 * Says that the node lives, in a rhythm that no answer and no silence holds up: an attempt without an answer is not
 * waited for, and its answer, should it come, counts as of when the attempt was made. Needs nothing but its clock and
 * its link: neither disk nor engine.
 */
export class HeartbeatLoop {
  readonly #options: HeartbeatLoopOptions;
  #sequence = 0;
  #intervalMs = FIRST_HEARTBEAT_MS;
  #nextAtMs = 0;
  #timer: Timer | undefined;
  #heardOfMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(options: HeartbeatLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#nextAtMs = this.#options.clock.monotonic();
    this.#beat();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #beat(): void {
    if (this.#isStopped) return;
    const nowMs = this.#options.clock.monotonic();
    // After a stop of the whole host: one, not all that were missed.
    this.#nextAtMs = Math.max(this.#nextAtMs + this.#intervalMs, nowMs + this.#intervalMs / 2);
    this.#timer = this.#options.clock.setTimer(this.#nextAtMs - nowMs, () => this.#beat());
    void this.#attempt(nowMs);
  }

  async #attempt(sentAtMs: number): Promise<void> {
    const { beater, send, health } = this.#options;
    try {
      const answer = await send({ ...beater, sequence: ++this.#sequence, ...health() });
      this.#intervalMs = answer.terms.heartbeatMs;
      const outcome = answer.renewed ? "renewed" : "withheld";
      this.#hear({ sentAtMs, outcome, known: answer.known, terms: answer.terms });
    } catch (error) {
      // What else went wrong is silence, which says nothing.
      if (error instanceof LinkError && error.refused) this.#hear({ sentAtMs, outcome: "refused", known: true });
    }
  }

  /** Answers may overtake one another: what was sent earlier says nothing any more. */
  #hear(news: HeartbeatNews): void {
    if (this.#isStopped || news.sentAtMs < this.#heardOfMs) return;
    this.#heardOfMs = news.sentAtMs;
    this.#options.heard(news);
  }
}
