import type { NetworkEntry, NetworkEntryKind } from "../model/network.ts";
import type { EntrySink } from "./entry-source.ts";

export interface EntryId {
  readonly kind: NetworkEntryKind;
  readonly id: string;
}

export interface Held {
  readonly entry: NetworkEntry;
  /** Its JSON, made once and sent to all. */
  readonly text: string;
}

/** Every entry that nodes are told, and which of them are others than they were when they were told last. */
export class EntryTable implements EntrySink {
  readonly #held = new Map<string, Held>();
  /** What changed since `take`, by key. */
  #changed = new Map<string, EntryId>();
  #silent: ReadonlySet<string> = new Set();
  /** While everything is put anew: what was not put yet. */
  #old: Set<string> | undefined;

  get size(): number {
    return this.#held.size;
  }

  get(key: string): Held | undefined {
    return this.#held.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#held.keys();
  }

  values(): IterableIterator<Held> {
    return this.#held.values();
  }

  put(entry: NetworkEntry): void {
    const key = keyOf(entry);
    this.#old?.delete(key);
    const marked = entry.kind === "node" ? this.#marked(entry) : entry;
    const text = JSON.stringify(marked);
    if (this.#held.get(key)?.text === text) return;
    this.#held.set(key, { entry: marked, text });
    this.#note(key, entry);
  }

  remove(kind: NetworkEntryKind, id: string): void {
    const key = keyOf({ kind, id });
    if (this.#held.delete(key)) this.#note(key, { kind, id });
  }

  /** Which nodes are silent is known by their leases, and stands on the entries that say the rest of them. */
  setSilent(silent: ReadonlySet<string>): void {
    const before = this.#silent;
    this.#silent = silent;
    for (const id of new Set([...before, ...silent])) {
      const held = before.has(id) === silent.has(id) ? undefined : this.#held.get(keyOf({ kind: "node", id }));
      if (held !== undefined) this.put(held.entry);
    }
  }

  /** Everything is put once more: what is not, by `endAnew`, is gone. */
  beginAnew(): void {
    this.#old = new Set(this.#held.keys());
  }

  endAnew(): void {
    for (const key of this.#old ?? []) {
      const held = this.#held.get(key);
      if (held !== undefined) this.remove(held.entry.kind, held.entry.id);
    }
    this.#old = undefined;
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** What changed since the last time. */
  take(): ReadonlyMap<string, EntryId> {
    const changed = this.#changed;
    this.#changed = new Map();
    return changed;
  }

  #marked(entry: Extract<NetworkEntry, { kind: "node" }>): NetworkEntry {
    const { isSilent: _before, ...rest } = entry;
    return this.#silent.has(entry.id) ? { ...rest, isSilent: true } : rest;
  }

  #note(key: string, { kind, id }: EntryId): void {
    this.#changed.set(key, { kind, id });
  }
}

export function keyOf({ kind, id }: EntryId): string {
  return `${kind} ${id}`;
}
