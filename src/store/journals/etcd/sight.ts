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
  #term = 0;
  #seen = { leader: 0, pulse: 0 };
  /** etcd's revisions that these news are from. */
  readonly #asOf = { leader: 0, pulse: 0 };
  #heardMs = Number.NEGATIVE_INFINITY;
  #told: string | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  /** The highest that was heard of, also when its leader's key is gone. */
  get term(): number {
    return this.#term;
  }

  /** Revisions that the keys `leader` and `pulse` had when they were last seen; 0 for one that is not there. */
  get seen(): { readonly leader: number; readonly pulse: number } {
    return this.#seen;
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

  /** The leader key as it was at a revision of etcd; without a record it was not there. Older news than what is known is none. */
  sawLeader(record: LeaderRecord | undefined, asOf: number): void {
    if (asOf <= this.#asOf.leader) return;
    this.#asOf.leader = asOf;
    this.#record = record;
    this.sawTerm(record?.term ?? 0);
    this.#seen = { ...this.#seen, leader: record ? asOf : 0 };
    this.#hear();
  }

  sawTerm(term: number): void {
    this.#term = Math.max(this.#term, term);
  }

  sawPulse(isThere: boolean, asOf: number): void {
    if (asOf <= this.#asOf.pulse) return;
    this.#asOf.pulse = asOf;
    this.#seen = { ...this.#seen, pulse: isThere ? asOf : 0 };
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
