import type { StoredObject } from "../model/meta.ts";
import type { JournalEntry } from "./journal.ts";
import type { Table } from "./table.ts";
import type { Change } from "./transaction.ts";

/**
 * What another server's entry changes here. Undefined for a kind that this version does not know, and for the removal of
 * what was not there.
 */
export function changeOf(entry: JournalEntry, table: Table | undefined): Change | undefined {
  if (!table) return undefined;
  const { key, revision, json } = entry;
  const { kind } = table;
  const before = table.get(key);
  if (json !== undefined) {
    const object = JSON.parse(json) as StoredObject;
    if (!before) return { type: "added", kind, key, object, revision };
    return { type: "modified", kind, key, object, before, revision };
  }
  if (!before) return undefined;
  const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(revision) } };
  return { type: "removed", kind, key, object, before, revision };
}
