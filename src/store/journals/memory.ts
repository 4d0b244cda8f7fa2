import { assert } from "../../lib/assert.ts";
import { type Journal, type JournalContents, type JournalEntry, JournalRefusal } from "../journal.ts";

/** Keeps rows in memory, across stores that share it: a disk for tests and simulation. */
export class MemoryJournal implements Journal {
  readonly #rows = new Map<string, JournalEntry & { readonly json: string }>();
  #revision = 0;
  /** Set to a sentence to make every append fail with it: a full disk. */
  refuseWith: string | undefined;

  async load(): Promise<JournalContents> {
    return { revision: this.#revision, rows: [...this.#rows.values()] };
  }

  async append(entries: readonly JournalEntry[]): Promise<void> {
    if (this.refuseWith !== undefined) throw new JournalRefusal(this.refuseWith);
    for (const entry of entries) {
      assert(entry.revision > this.#revision, "journal entries come in order of revision");
      this.#revision = entry.revision;
      const id = `${entry.kind}\n${entry.key}`;
      if (entry.json === undefined) this.#rows.delete(id);
      else this.#rows.set(id, { ...entry, json: entry.json });
    }
  }

  async close(): Promise<void> {}
}
