import { KEYRING_NAME, type Keyring, type KeyringMaster, type KeyringSpec, keyrings } from "../../model/keyring.ts";
import type { Kind } from "../../model/meta.ts";
import { type JournalEntry, JournalRefusal } from "../journal.ts";
import { isCompleteFor, type KeyringState, newKeyring, openKeyring } from "./keyring-state.ts";
import { idOf, type MasterKey, type MasterKeys } from "./master-key.ts";
import { numbered, openRow, readSealed, sealRow } from "./sealed-row.ts";

/** A row of a sealed kind, and what it lies under: the id of a data key, or `clear`. */
export interface RowAt {
  readonly kind: string;
  readonly key: string;
  readonly under: string;
}

/** The keys of one process: opens and seals rows, and knows which row lies under which key. */
export class Vault {
  readonly masterKeys: MasterKeys;
  readonly #sealedKinds: ReadonlySet<string>;
  readonly #rows = new Map<string, RowAt>();
  /** Batches on their way to the journal, by the data key that they are sealed with. */
  readonly #underWay = new Map<string, number>();
  #masters: readonly MasterKey[] = [];
  #state: KeyringState | undefined;

  constructor(kinds: readonly Kind[], masterKeys: MasterKeys) {
    this.#sealedKinds = new Set(kinds.filter(({ isSealed }) => isSealed).map(({ name }) => name));
    this.masterKeys = masterKeys;
  }

  get state(): KeyringState | undefined {
    return this.#state;
  }

  /** Of the keyring as it is. */
  get master(): MasterKey | undefined {
    return this.#masters.find(({ about }) => about.id === this.#state?.spec.master.id);
  }

  isSealed(kind: string): boolean {
    return this.#sealedKinds.has(kind);
  }

  /** In order. */
  get sealedKinds(): readonly string[] {
    return [...this.#sealedKinds].sort();
  }

  /** Whether the keyring says of every kind that nothing of it is in clear. */
  get isComplete(): boolean {
    const spec = this.#state?.spec;
    return spec !== undefined && this.sealedKinds.every((kind) => isCompleteFor(spec, kind));
  }

  get rows(): Iterable<RowAt> {
    return this.#rows.values();
  }

  /** A further master key, that a keyring may come to be wrapped by. */
  offer(master: MasterKey): void {
    this.#masters = [...this.#masters.filter(({ about }) => about.id !== master.about.id), master];
  }

  /** For a store that has none: makes one. It counts once it is in the journal. */
  async begin(madeAt: string): Promise<KeyringSpec> {
    const master = await this.masterKeys.make();
    this.offer(master);
    const isClear = [...this.#rows.values()].some(({ under }) => under === CLEAR);
    return newKeyring(master, madeAt, isClear ? undefined : this.sealedKinds);
  }

  /** Finds the master key of this keyring. Rejects with JournalRefusal in words when there is none. */
  async find({ master }: KeyringSpec): Promise<void> {
    if (this.#masters.some(({ about }) => about.id === master.id)) return;
    const candidates = await this.masterKeys.candidates(master);
    const bytes = candidates.find((each) => idOf(each) === master.id);
    if (bytes === undefined) throw wrongKey(master, candidates[0], this.masterKeys.where);
    this.offer({ bytes, about: master });
  }

  /** Undefined when its master key has to be found first. */
  read(spec: KeyringSpec): KeyringState | undefined {
    const master = this.#masters.find(({ about }) => about.id === spec.master.id);
    if (master) return openKeyring(spec, master);
    // Wrapped anew elsewhere: the data keys are the same, and known.
    const known = this.#state?.keys;
    const isKnown = known !== undefined && spec.dataKeys.every(({ id }) => known.has(id));
    return isKnown ? { spec, keys: known } : undefined;
  }

  use(state: KeyringState): void {
    this.#state = state;
  }

  /** The row as it lies in the journal. */
  seal({ kind, key, json }: JournalEntry, state: KeyringState | undefined): string | undefined {
    if (json === undefined) return undefined;
    const dataKey = state?.keys.get(state.spec.primary);
    if (!state || !dataKey) throw new JournalRefusal("there is no key yet to seal secrets with");
    return sealRow(dataKey, state.spec.primary, kind, key, json);
  }

  /** The object of a row. Throws JournalRefusal in words. */
  open({ kind, key, revision }: JournalEntry, json: string): string {
    const row = readSealed(json);
    if (!row) {
      if (!this.#state || !isCompleteFor(this.#state.spec, kind)) return json;
      throw changed(kind, key, "it lies in clear, and this store has sealed all of them");
    }
    const dataKey = this.#state?.keys.get(row.key);
    if (!dataKey) throw changed(kind, key, `it is sealed with data key ${row.key}, which the keyring does not have`);
    const text = openRow(dataKey, row, kind, key);
    if (text === undefined) throw changed(kind, key, "it was changed or damaged, or comes from elsewhere");
    return numbered(text, revision);
  }

  /** What the journal holds now. `json` is as it lies there. */
  note({ kind, key }: JournalEntry, json: string | undefined): void {
    const id = `${kind}\n${key}`;
    if (json === undefined) this.#rows.delete(id);
    else this.#rows.set(id, { kind, key, under: readSealed(json)?.key ?? CLEAR });
  }

  forgetRows(): void {
    this.#rows.clear();
  }

  /** Runs `write`, and counts it as a use of the data key until it has ended. */
  async using<T>(dataKey: string | undefined, write: () => Promise<T>): Promise<T> {
    if (dataKey === undefined) return write();
    const count = (change: number) => this.#underWay.set(dataKey, (this.#underWay.get(dataKey) ?? 0) + change);
    count(1);
    try {
      return await write();
    } finally {
      count(-1);
    }
  }

  /** Whether nothing lies, or is about to lie, under any key but the primary one. */
  get isSettled(): boolean {
    const primary = this.#state?.spec.primary;
    const isLeaving = [...this.#underWay].some(([id, batches]) => id !== primary && batches > 0);
    return !isLeaving && this.stale().next().done === true;
  }

  /** Rows that are to be written again: in clear, or under an older key. */
  *stale(): Generator<RowAt> {
    const primary = this.#state?.spec.primary;
    if (primary === undefined) return;
    for (const row of this.#rows.values()) if (row.under !== primary) yield row;
  }
}

export const CLEAR = "clear";

/** The keyring's own row, if the entry is it. */
export function keyringIn({ kind, key }: JournalEntry, json: string | undefined): KeyringSpec | undefined {
  if (kind !== keyrings.name || key !== KEYRING_NAME || json === undefined) return undefined;
  return (JSON.parse(json) as Keyring).spec;
}

function wrongKey({ type, id }: KeyringMaster, found: Buffer | undefined, where: string): JournalRefusal {
  const isPhrase = type === "passphrase";
  const wanted = isPhrase ? `a passphrase (of fingerprint ${id})` : `master key ${id}`;
  const other = isPhrase ? "does not hold it" : `is another key (${found && idOf(found)})`;
  const state =
    where === "" ? "nobody has said where it is" : `${where} ${found === undefined ? "is not there" : other}`;
  return new JournalRefusal(
    `the store's secrets are sealed with ${wanted}, and ${state}. Put the right one ` +
      "there, from where you keep a copy, or from another server; or say where it is: " +
      `${isPhrase ? "--passphrase-file FILE" : "--master-key-file FILE"}. Nothing was changed`,
  );
}

function changed(kind: string, key: string, why: string): JournalRefusal {
  return new JournalRefusal(
    `${kind} ${key} does not open: ${why}. Nothing was changed; put the store back from a backup (styr restore)`,
  );
}
