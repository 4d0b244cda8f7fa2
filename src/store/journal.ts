/** What makes the store durable. Implementations: journals/{memory,sqlite}; proof: test/contract/journal. */

/** One row as it is after a change. `json` undefined = the row is gone. */
export interface JournalEntry {
  readonly kind: string;
  readonly key: string;
  readonly revision: number;
  readonly json: string | undefined;
}

export interface JournalContents {
  /** The last revision ever acknowledged, also when its row is gone. */
  readonly revision: number;
  readonly rows: readonly (JournalEntry & { readonly json: string })[];
}

/** The journal did not take a batch: none of it is, or will come to be, on disk. */
export class JournalRefusal extends Error {
  override readonly name = "JournalRefusal";
}

export interface Journal {
  /** Everything durable. Called once, before the first append. */
  load(): Promise<JournalContents>;
  /**
   * Resolves when the whole batch is durable; rejects with JournalRefusal when none of it is. Entries come in order of
   * revision; batches are appended one at a time.
   */
  append(entries: readonly JournalEntry[]): Promise<void>;
  close(): Promise<void>;
}
