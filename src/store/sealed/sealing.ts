import { ApiError } from "../../model/errors.ts";
import { KEYRING_NAME, type KeyringSpec, keyrings } from "../../model/keyring.ts";
import type { SealingReport } from "../../model/sealing-report.ts";
import { rfc3339 } from "../../seams/clock.ts";
import { JournalRefusal } from "../journal.ts";
import { type KeyringState, rewrapped, withNewKey } from "./keyring-state.ts";
import type { MasterKey, NewMasterKey } from "./master-key.ts";
import { Resealer, type ResealerOptions } from "./resealer.ts";
import { CLEAR, type Vault } from "./vault.ts";

/** What people do with the keys of the store, on the server that leads. */
export class Sealing {
  readonly resealer: Resealer;
  readonly #options: ResealerOptions;

  constructor(options: ResealerOptions) {
    this.#options = options;
    this.resealer = new Resealer(options);
  }

  report(): SealingReport {
    const { spec } = this.#state;
    const { vault } = this.#options;
    const rows = [...vault.rows];
    const under = Map.groupBy(rows, (row) => row.under);
    return {
      master: { type: spec.master.type, id: spec.master.id, where: vault.masterKeys.where },
      keys: spec.dataKeys.map(({ id, madeAt }) => ({
        ...{ id, madeAt, isPrimary: id === spec.primary },
        rows: under.get(id)?.length ?? 0,
      })),
      rows: rows.length,
      clear: under.get(CLEAR)?.length ?? 0,
      kinds: countBy(rows.map(({ kind }) => kind)),
    };
  }

  /** A new data key seals from now on; what lies under older ones is written again in the background. */
  async rotate(): Promise<void> {
    const { clock } = this.#options;
    const master = this.#master;
    await this.#write((spec) => withNewKey(spec, master, rfc3339(clock.now())));
    this.resealer.wake();
  }

  /** Wraps the data keys by another master key. The file is one of the host of this server. */
  async rekey(from: NewMasterKey): Promise<void> {
    const { vault } = this.#options;
    const master = await prepare(vault, from);
    vault.offer(master);
    const state = this.#state;
    await this.#write((spec) => rewrapped({ ...state, spec }, master));
    await vault.masterKeys.settled(master);
  }

  get #state(): KeyringState {
    const { state } = this.#options.vault;
    if (state) return state;
    throw new ApiError("Unavailable", "this server has no keyring yet", { retryAfterSeconds: 1 });
  }

  get #master(): MasterKey {
    const { master } = this.#options.vault;
    if (master) return master;
    const what = `this server's master key is not the one that the keyring is wrapped by now (${this.#state.spec.master.id})`;
    throw new ApiError(
      "Conflict",
      `${what}; copy it here from the server that changed it, as pki/master.key, and restart`,
    );
  }

  async #write(change: (spec: KeyringSpec) => KeyringSpec): Promise<void> {
    const { store, vault } = this.#options;
    const known = this.#state.spec.mac;
    await store.update((tx) => {
      const keyring = tx.get(keyrings, KEYRING_NAME);
      if (keyring?.spec.mac !== known || vault.state?.spec.mac !== known)
        throw new ApiError("Conflict", "the keys are being changed at this moment; try again", {
          retryAfterSeconds: 1,
        });
      tx.update(keyrings, { ...keyring, spec: change(keyring.spec) });
    });
  }
}

/** What is wrong with the file is the request's fault. */
async function prepare({ masterKeys }: Vault, from: NewMasterKey): Promise<MasterKey> {
  try {
    return await masterKeys.prepare(from);
  } catch (error) {
    throw error instanceof JournalRefusal
      ? new ApiError("BadRequest", `at the server that leads: ${error.message}`)
      : error;
  }
}

function countBy(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
