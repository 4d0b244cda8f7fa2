import { type Kind, keyOf, type StoredObject } from "../model/meta.ts";
import type { JournalEntry } from "../store/journal.ts";
import type { Store } from "../store/store.ts";
import type { Change } from "../store/transaction.ts";
import { SimFailure } from "./contract.ts";

/** Tells what a batch has changed from what the disk has taken, not from what the store says that it did. */
export class CommitMirror {
  readonly #kinds: ReadonlyMap<string, Kind>;
  readonly #objects = new Map<string, StoredObject>();

  /** `since`: what was written while the store was being opened, and is still to be told. */
  constructor(kinds: readonly Kind[], store: Store, since: readonly JournalEntry[]) {
    this.#kinds = new Map(kinds.map((kind) => [kind.name, kind]));
    for (const kind of kinds) {
      for (const object of store.list(kind)) this.#objects.set(`${kind.name}\n${keyOf(object)}`, object);
    }
    for (const { kind, key } of since) this.#objects.delete(`${kind}\n${key}`);
  }

  changes(entries: readonly JournalEntry[], store: Store): readonly Change[] {
    const last = entries.at(-1)?.revision ?? 0;
    if (store.revision < last) throw new SimFailure("visible", `revision ${last} is durable and cannot be read`);
    return entries.map((entry) => this.#change(entry, store));
  }

  #change({ kind: name, key, revision, json }: JournalEntry, store: Store): Change {
    const kind = this.#kinds.get(name);
    if (!kind) throw new SimFailure("visible", `the journal was given a row of an unknown kind: ${name}`);
    const id = `${name}\n${key}`;
    const before = this.#objects.get(id);
    if (json === undefined) {
      this.#objects.delete(id);
      if (!before) throw new SimFailure("visible", `${id} was removed, and nobody knew that it was there`);
      const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(revision) } };
      return { type: "removed", kind, key, object, before, revision };
    }
    const now = store.get(kind, key);
    // Within one batch an object may have several versions; the text says which one this is.
    const object = now?.metadata.resourceVersion === String(revision) ? now : (JSON.parse(json) as StoredObject);
    this.#objects.set(id, object);
    return { type: before ? "modified" : "added", kind, key, object, ...(before ? { before } : {}), revision };
  }
}
