import { KEYRING_NAME, keyrings } from "../../model/keyring.ts";
import type { Kind } from "../../model/meta.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Store } from "../store.ts";
import { tidied } from "./keyring-state.ts";
import type { RowAt, Vault } from "./vault.ts";

export interface ResealerOptions {
  readonly store: Store;
  readonly vault: Vault;
  readonly kinds: readonly Kind[];
  readonly clock: Clock;
  readonly log: Log;
  /** Takes out of the journal's files what was written over. */
  readonly scrub?: () => Promise<void>;
}

/** Rows in one transaction: a step is short, and others write in between. */
const STEP_ROWS = 50;
const PAUSE_MS = 20;
const AGAIN_MS = 5_000;

/**
 * Writes rows again that lie in clear or under an older key, a few at a time, and drops keys that nothing needs. Where it
 * has got to is in the rows themselves, so a restart or another leader goes on from there. Runs where the store leads.
 */
export class Resealer {
  readonly #options: ResealerOptions;
  readonly #kinds: ReadonlyMap<string, Kind>;
  #timer: Timer | undefined;
  #isRunning = false;
  #isStopped = true;
  #isWanted = false;
  #step: Promise<void> = Promise.resolve();

  constructor(options: ResealerOptions) {
    this.#options = options;
    this.#kinds = new Map(options.kinds.map((kind) => [kind.name, kind]));
  }

  start(): void {
    this.#isStopped = false;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#step;
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWanted = true;
    if (!this.#isRunning) this.#soon(0);
  }

  #soon(ms: number): void {
    this.#timer?.cancel();
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.setTimer(ms, () => {
      this.#isRunning = true;
      this.#isWanted = false;
      this.#step = this.#run().finally(() => {
        this.#isRunning = false;
        if (this.#isWanted) this.#soon(0);
      });
    });
  }

  async #run(): Promise<void> {
    const { vault, log } = this.#options;
    let againMs: number | undefined = PAUSE_MS;
    try {
      const rows = [...vault.stale().take(STEP_ROWS)];
      if (rows.length > 0) await this.#rewrite(rows);
      else if (!(await this.#tidy())) againMs = undefined;
    } catch (error) {
      log.warn("secrets could not be sealed anew; trying again", { why: String(error) });
      againMs = AGAIN_MS;
    }
    if (againMs !== undefined) this.#soon(againMs);
  }

  async #rewrite(rows: readonly RowAt[]): Promise<void> {
    await this.#options.store.update((tx) => {
      for (const { kind, key } of rows) {
        const known = this.#kinds.get(kind);
        if (known) tx.rewrite(known, key);
      }
    });
  }

  /** Whether there was, or still is, anything to do. */
  async #tidy(): Promise<boolean> {
    const { store, vault, log, scrub } = this.#options;
    const { state, master } = vault;
    if (!state || (vault.isComplete && state.spec.dataKeys.length === 1)) return false;
    if (!vault.isSettled) return true;
    // Another server has wrapped it anew with a key that this one does not have: it lacks that, and says so at its start.
    if (!master) return false;
    // Before it is written that all is done: after a crash in between it is scrubbed again.
    await scrub?.();
    await store.update((tx) => {
      const keyring = tx.get(keyrings, KEYRING_NAME);
      // A rotation may be on its way to the disk.
      if (keyring?.spec.mac !== state.spec.mac) return;
      tx.update(keyrings, { ...keyring, spec: tidied(state.spec, master, vault.sealedKinds) });
    });
    log.info("all secrets are sealed with the newest key", { key: state.spec.primary });
    return true;
  }
}
