/** Who leads, and since when nothing was heard of them: all that elections go by. */
import type { Clock, Timer } from "../../../seams/clock.ts";
import type { ServerIdentity } from "../../journal.ts";

/** The value of the leader key. Written once per term, and once more when the leader gives it up. */
export interface LeaderRecord extends ServerIdentity {
  readonly term: number;
  /** Tells one claim from another of the same server. */
  readonly claimedMs: number;
  readonly hasResigned?: true;
}

type Listener = (leader: ServerIdentity | undefined) => void;

export class Sight {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #listeners: Listener[] = [];
  readonly #watchers = new Set<() => void>();
  #record: LeaderRecord | undefined;
  #leaderRevision = 0;
  #pulseRevision = 0;
  #heardMs = Number.NEGATIVE_INFINITY;
  #told: string | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  get term(): number {
    return this.#record?.term ?? 0;
  }

  /** Revisions that the keys `leader` and `pulse` had when they were last seen; 0 for one that was never there. */
  get seen(): { readonly leader: number; readonly pulse: number } {
    return { leader: this.#leaderRevision, pulse: this.#pulseRevision };
  }

  /** Who leads and was heard of within the lease. */
  get leader(): ServerIdentity | undefined {
    const record = this.#record;
    if (!record || record.hasResigned || this.silentForMs >= this.#ttlMs) return undefined;
    const { name, url, version } = record;
    return { name, url, version };
  }

  get silentForMs(): number {
    return this.#clock.monotonic() - this.#heardMs;
  }

  /** How long until somebody else may take over; 0 when that is now. */
  get claimableInMs(): number {
    if (!this.#record || this.#record.hasResigned) return 0;
    return Math.max(0, this.#ttlMs - this.silentForMs);
  }

  onLeader(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** The leader key as it is. Older news than what is known is none. */
  sawLeader(record: LeaderRecord | undefined, modRevision: number): void {
    if (modRevision <= this.#leaderRevision) return;
    this.#record = record;
    this.#leaderRevision = modRevision;
    this.#hear();
  }

  sawPulse(modRevision: number): void {
    if (modRevision <= this.#pulseRevision) return;
    this.#pulseRevision = modRevision;
    this.#hear();
  }

  /** Counts the silence from now on. */
  restart(): void {
    this.#hear();
  }

  /** Resolves when there is news, or after `ms`. */
  async news(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = () => woken.abort();
    this.#watchers.add(wake);
    try {
      await this.#clock.sleep(ms, AbortSignal.any([woken.signal, signal])).catch((error: unknown) => {
        if (!woken.signal.aborted) throw error;
      });
    } finally {
      this.#watchers.delete(wake);
    }
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #hear(): void {
    this.#heardMs = this.#clock.monotonic();
    for (const wake of this.#watchers) wake();
    this.#tell();
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(this.#ttlMs + 1, () => this.#tell());
  }

  #tell(): void {
    const { leader } = this;
    const text = JSON.stringify(leader);
    if (text === this.#told) return;
    this.#told = text;
    for (const listener of this.#listeners) listener(leader);
  }
}
