/** The value of the head key: written with every batch, in the transaction that makes it durable. */
import type { JournalEntry } from "../../journal.ts";

export interface Head {
  /** Of the leader that wrote the batch. */
  readonly term: number;
  /** Of the batch's last entry. */
  readonly revision: number;
  /** Entries that no row shows after the transaction: removals, and versions that the same batch replaced. */
  readonly beside: readonly JournalEntry[];
  /** The batch lies in that many pieces under this id, until they are worked into the rows. */
  readonly staged: { readonly id: string; readonly pieces: number } | undefined;
}

type Written = [kind: string, key: string, revision: number, json?: string];

export const NO_HEAD: Head = { term: 0, revision: 0, beside: [], staged: undefined };

export function encodeHead({ term, revision, beside, staged }: Head): string {
  const written = beside.map(
    ({ kind, key, revision: at, json }): Written => (json === undefined ? [kind, key, at] : [kind, key, at, json]),
  );
  return JSON.stringify({ term, revision, ...(written.length > 0 ? { beside: written } : {}), staged });
}

export function decodeHead(text: string): Head {
  const { term, revision, beside, staged } = JSON.parse(text) as {
    term: number;
    revision: number;
    beside?: Written[];
    staged?: Head["staged"];
  };
  const entries = (beside ?? []).map(([kind, key, at, json]) => ({ kind, key, revision: at, json }));
  return { term, revision, beside: entries, staged };
}
