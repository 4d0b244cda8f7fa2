import type { KeyringSpec } from "../../model/keyring.ts";
import {
  type Followed,
  type JournalContents,
  type JournalEntry,
  type JournalMember,
  JournalRefusal,
  type Leadership,
  type ServerIdentity,
  type SharedJournal,
} from "../journal.ts";
import { refuseMoved } from "./moved-row.ts";
import { SealedJournal, type SealingOptions } from "./sealed-journal.ts";
import { keyringIn } from "./vault.ts";

/** The same, over a journal that several processes share. Its first leader makes the keyring. */
export class SealedSharedJournal extends SealedJournal implements SharedJournal {
  readonly #shared: SharedJournal;
  #followed: Followed | undefined;
  #revision = 0;
  /** A master key is being looked for: what comes meanwhile waits its turn. */
  #waiting: JournalEntry[][] | undefined;
  #ready: Promise<void> = Promise.resolve();

  constructor(journal: SharedJournal, options: SealingOptions) {
    super(journal, options);
    this.#shared = journal;
  }

  override async load(): Promise<JournalContents> {
    const { revision, rows } = await this.#shared.load();
    this.#revision = revision;
    refuseMoved(rows);
    const keyring = await this.openKeyringOf(rows);
    if (!keyring && rows.length > 0) throw unfinished();
    return { revision, rows: this.opened(rows) as JournalContents["rows"] };
  }

  override async append(entries: readonly JournalEntry[]): Promise<void> {
    await super.append(entries);
    this.#revision = entries.at(-1)?.revision ?? this.#revision;
  }

  follow(followed: Followed): void {
    this.#followed = followed;
    this.#waiting = undefined;
    this.#shared.follow({
      batch: (entries) => this.#heard(entries, followed),
      lost: (reason) => followed.lost(reason),
    });
  }

  async campaign(me: ServerIdentity, signal: AbortSignal): Promise<Leadership> {
    const leadership = await this.#shared.campaign(me, signal);
    await this.#ready;
    if (this.vault.state) return leadership;
    try {
      const entry = await this.beginKeyring(this.#revision);
      this.#revision = entry.revision;
      // The store did not write it, so it hears of it as of another's.
      this.#followed?.batch([entry]);
    } catch (error) {
      await leadership.resign();
      throw error;
    }
    return leadership;
  }

  get leader(): ServerIdentity | undefined {
    return this.#shared.leader;
  }

  async members(): Promise<readonly JournalMember[]> {
    return (await this.#shared.members?.()) ?? [];
  }

  onLeader(listener: (leader: ServerIdentity | undefined) => void): void {
    this.#shared.onLeader(listener);
  }

  #heard(entries: readonly JournalEntry[], followed: Followed): void {
    this.#revision = entries.at(-1)?.revision ?? this.#revision;
    if (this.#waiting) {
      this.#waiting.push([...entries]);
      return;
    }
    const unknown = this.#takeKeyring(entries);
    if (unknown) this.#ready = this.#find(unknown, entries, followed);
    else this.#pass(entries, followed);
  }

  /** A keyring among the entries whose master key is not known yet. */
  #takeKeyring(entries: readonly JournalEntry[]): KeyringSpec | undefined {
    for (const entry of entries) {
      const spec = keyringIn(entry, entry.json);
      if (spec && !this.take(spec)) return spec;
    }
    return undefined;
  }

  #pass(entries: readonly JournalEntry[], followed: Followed): void {
    let opened: readonly JournalEntry[];
    try {
      opened = this.opened(entries);
    } catch (error) {
      if (!(error instanceof JournalRefusal)) throw error;
      followed.lost(error.message);
      return;
    }
    followed.batch(opened);
  }

  async #find(spec: KeyringSpec, entries: readonly JournalEntry[], followed: Followed): Promise<void> {
    const waiting: JournalEntry[][] = [];
    this.#waiting = waiting;
    try {
      await this.vault.find(spec);
    } catch (error) {
      if (this.#waiting === waiting) followed.lost((error as Error).message);
      return;
    }
    // Another load began meanwhile.
    if (this.#waiting !== waiting) return;
    this.#waiting = undefined;
    this.take(spec);
    this.#pass(entries, followed);
    for (const batch of waiting) this.#heard(batch, followed);
  }
}

/** Who fills a shared journal writes the keyring last: rows without one are the beginning of a copy. */
function unfinished(): JournalRefusal {
  return new JournalRefusal(
    "what was being copied into this store did not come to its end: run the same styr store migrate or styr restore again",
  );
}
