/**
 * Encrypts rows of sealed kinds on their way into any journal, and opens them on the way out. Other rows pass as they
 * are. The keyring is a row like others: it changes through the store, and counts from the batch on that carries it.
 */
import { KEYRING_NAME, type Keyring, type KeyringSpec, keyrings } from "../../model/keyring.ts";
import type { Kind } from "../../model/meta.ts";
import { type Clock, rfc3339 } from "../../seams/clock.ts";
import type { Random } from "../../seams/random.ts";
import { type Journal, type JournalContents, type JournalEntry, JournalRefusal } from "../journal.ts";
import type { KeyringState } from "./keyring-state.ts";
import { readSealed } from "./sealed-row.ts";
import { keyringIn, type Vault } from "./vault.ts";

export interface SealingOptions {
  readonly kinds: readonly Kind[];
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: Random;
}

/** A journal whose files hold what was overwritten until they are made anew. */
interface Scrubbed {
  scrub(): Promise<void>;
}

type Row = JournalEntry & { readonly json: string };

export class SealedJournal implements Journal {
  readonly vault: Vault;
  readonly #journal: Journal;
  readonly #options: SealingOptions;
  /** Rows of kinds that this version does not know: they are kept, and a backup has them, too. */
  readonly #unknown = new Map<string, Row>();
  readonly #kinds: ReadonlySet<string>;

  constructor(journal: Journal, options: SealingOptions) {
    this.#journal = journal;
    this.#options = options;
    this.vault = options.vault;
    this.#kinds = new Set(options.kinds.map(({ name }) => name));
  }

  get maxRowBytes(): number | undefined {
    return this.#journal.maxRowBytes;
  }

  get preferredBatchBytes(): number | undefined {
    return this.#journal.preferredBatchBytes;
  }

  get unknownRows(): readonly JournalEntry[] {
    return [...this.#unknown.values()];
  }

  async load(): Promise<JournalContents> {
    const { revision, rows } = await this.#journal.load();
    const keyring = await this.openKeyringOf(rows);
    if (keyring) return { revision, rows: this.#opened(rows) };
    this.#note(rows);
    const entry = await this.beginKeyring(revision);
    return { revision: entry.revision, rows: [...this.#opened(rows), entry] };
  }

  async append(entries: readonly JournalEntry[]): Promise<void> {
    const { written, state } = this.#sealed(entries);
    const under = this.vault.state?.spec.primary;
    await this.vault.using(under, async () => {
      await this.#journal.append(written);
      if (state) this.vault.use(state);
      this.#note(written);
    });
  }

  /** Takes from the journal what it still holds of rows that were written over, where it can. */
  async scrub(): Promise<void> {
    if (canScrub(this.#journal)) await this.#journal.scrub();
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  /** Undefined when there is no keyring, and nothing that would need one. */
  protected async openKeyringOf(rows: readonly Row[]): Promise<KeyringSpec | undefined> {
    this.vault.forgetRows();
    this.#unknown.clear();
    const spec = rows.map((row) => keyringIn(row, row.json)).find((found) => found !== undefined);
    if (spec) {
      await this.vault.find(spec);
      this.take(spec);
      if (this.vault.master) await this.vault.masterKeys.settled(this.vault.master);
      return spec;
    }
    const sealed = rows.find(({ kind, json }) => this.vault.isSealed(kind) && readSealed(json));
    if (sealed) {
      const what = `the keyring is missing, and ${sealed.kind} ${sealed.key} is sealed`;
      throw new JournalRefusal(`${what}: put the store back from a backup (styr restore). Nothing was changed`);
    }
    return undefined;
  }

  /** Makes the first keyring and writes it down. */
  protected async beginKeyring(revision: number): Promise<Row> {
    const { clock, random } = this.#options;
    const at = rfc3339(clock.now());
    const spec = await this.vault.begin(at);
    const entry = keyringRow(spec, { revision: revision + 1, at, uid: random.uuid() });
    await this.#journal.append([entry]);
    this.take(spec);
    return entry;
  }

  /** False when its master key has to be found first. */
  protected take(spec: KeyringSpec): boolean {
    const state = this.vault.read(spec);
    if (state) this.vault.use(state);
    return state !== undefined;
  }

  /** Rows and entries as the store is to see them. */
  protected opened(entries: readonly JournalEntry[]): readonly JournalEntry[] {
    this.#note(entries);
    return entries.map((entry) => (entry.json === undefined ? entry : this.#open(entry as Row)));
  }

  #opened(rows: readonly Row[]): readonly Row[] {
    this.#note(rows);
    return rows.map((row) => this.#open(row));
  }

  #open(row: Row): Row {
    return this.vault.isSealed(row.kind) ? { ...row, json: this.vault.open(row, row.json) } : row;
  }

  /** What follows a new keyring in its own batch lies under it already. */
  #sealed(entries: readonly JournalEntry[]): {
    readonly written: readonly JournalEntry[];
    readonly state: KeyringState | undefined;
  } {
    let state: KeyringState | undefined;
    const written = entries.map((entry) => {
      const spec = keyringIn(entry, entry.json);
      if (spec) {
        state = this.vault.read(spec);
        if (!state) throw new JournalRefusal("the keyring is wrapped by a master key that this server does not have");
      }
      if (!this.vault.isSealed(entry.kind)) return entry;
      return { ...entry, json: this.vault.seal(entry, state ?? this.vault.state) };
    });
    return { written, state };
  }

  #note(entries: readonly JournalEntry[]): void {
    for (const entry of entries) {
      if (this.vault.isSealed(entry.kind)) this.vault.note(entry, entry.json);
      if (this.#kinds.has(entry.kind)) continue;
      const id = `${entry.kind}\n${entry.key}`;
      if (entry.json === undefined) this.#unknown.delete(id);
      else this.#unknown.set(id, { ...entry, json: entry.json });
    }
  }
}

function canScrub(journal: Journal): journal is Journal & Scrubbed {
  return "scrub" in journal;
}

export function keyringRow(
  spec: KeyringSpec,
  { revision, at, uid }: { readonly revision: number; readonly at: string; readonly uid: string },
): Row {
  const object: Keyring = {
    apiVersion: keyrings.apiVersion,
    kind: "Keyring",
    metadata: {
      name: KEYRING_NAME,
      uid,
      resourceVersion: String(revision),
      generation: 1,
      creationTimestamp: at,
    },
    spec,
  };
  return { kind: keyrings.name, key: KEYRING_NAME, revision, json: JSON.stringify(object) };
}
