import { ApiError } from "../../model/errors.ts";
import type { Clock } from "../../seams/clock.ts";
import type { ServerIdentity, SharedJournal } from "../../store/journal.ts";
import { troubleOf } from "../../store/members-trouble.ts";

/** A request that needs a leader waits so long for one to be there. */
export const LEADER_PATIENCE_MS = 5_000;
/** … and so long, in all, for one that takes it. */
export const TRIES_MS = 10_000;

/** Who leads, as far as this process knows, whichever journal it has open at the moment. */
export class LeaderWatch {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #journal: SharedJournal | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get leader(): ServerIdentity | undefined {
    return this.#journal?.leader;
  }

  follow(journal: SharedJournal): void {
    this.#journal = journal;
    journal.onLeader(() => {
      if (this.#journal === journal) this.#tell();
    });
    this.#tell();
  }

  /** Called with every change, until the function that is returned is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Throws Unavailable when nobody leads within the patience that there is. */
  async wait(signal: AbortSignal): Promise<ServerIdentity> {
    const untilMs = this.#clock.monotonic() + LEADER_PATIENCE_MS;
    while (!this.leader) {
      signal.throwIfAborted();
      const leftMs = untilMs - this.#clock.monotonic();
      if (leftMs <= 0) throw await this.#nobody();
      await this.changed(leftMs, signal);
    }
    return this.leader;
  }

  async #nobody(): Promise<ApiError> {
    const trouble = this.#journal && (await troubleOf(this.#journal));
    const why = trouble === undefined ? "" : ` (${trouble})`;
    return new ApiError(
      "Unavailable",
      `no server leads at present${why}, so this cannot be done; everything that runs goes on running`,
      { retryAfterSeconds: 1 },
    );
  }

  /** Resolves when the leader has changed, `signal` aborts, or after `mostMs`. */
  async changed(mostMs: number, signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const end = () => ended.abort();
    const forget = this.onChange(end);
    signal.addEventListener("abort", end, { once: true });
    try {
      if (!signal.aborted) await this.#clock.sleep(mostMs, ended.signal);
    } catch (error) {
      if (!ended.signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", end);
      forget();
    }
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
