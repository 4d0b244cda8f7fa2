import type { NetworkEntry, NetworkEntryKind } from "../model/network.ts";
import { SHELVES, shelfOf } from "../model/network-shelves.ts";
import type { Audience, EntrySink } from "./entry-source.ts";

export interface EntryId {
  readonly kind: NetworkEntryKind;
  readonly id: string;
}

/** What is different: and whom it concerns, if only some. */
export interface ChangedId extends EntryId {
  readonly audience: Audience;
}

export interface Held {
  readonly entry: NetworkEntry;
  /** Its JSON, made once and sent to all. */
  readonly text: string;
  readonly audience: Audience;
}

/** What changed, by key, and nodes that have become ways in or have ceased to be. */
export interface TableChange {
  readonly changed: ReadonlyMap<string, ChangedId>;
  readonly turned: ReadonlySet<string>;
}

interface Shelf {
  readonly keys: Set<string>;
  /** Counts up with every change. */
  version: number;
}

/** Every entry that nodes are told, and which of them are others than they were when they were told last. */
export class EntryTable implements EntrySink {
  readonly #held = new Map<string, Held>();
  readonly #shelves: readonly Shelf[] = Array.from({ length: SHELVES }, () => ({ keys: new Set(), version: 0 }));
  /** Entries that are for them alone. */
  readonly #wayInKeys = new Map<string, EntryId>();
  readonly #waysIn = new Set<string>();
  /** What changed since `take`, by key. */
  #changed = new Map<string, ChangedId>();
  #turned = new Set<string>();
  #silent: ReadonlySet<string> = new Set();
  #chars = 0;
  #version = 0;
  /** While everything is put anew: what was not put yet. */
  #old: Set<string> | undefined;

  get size(): number {
    return this.#held.size;
  }

  /** Of all texts together. */
  get chars(): number {
    return this.#chars;
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

  /** Key and what is held of each. */
  shelf(shelf: number): readonly (readonly [string, Held])[] {
    const keys = [...(this.#shelves[shelf]?.keys ?? [])];
    return keys.flatMap((key) => {
      const held = this.#held.get(key);
      return held === undefined ? [] : [[key, held] as const];
    });
  }

  /** Counts up with every change. */
  get version(): number {
    return this.#version;
  }

  versionOf(shelf: number): number {
    return this.#shelves[shelf]?.version ?? 0;
  }

  isWayIn(node: string): boolean {
    return this.#waysIn.has(node);
  }

  /** What is for ways in alone, by key. */
  get forWaysIn(): ReadonlyMap<string, EntryId> {
    return this.#wayInKeys;
  }

  put(entry: NetworkEntry, audience: Audience = "all"): void {
    const key = keyOf(entry);
    this.#old?.delete(key);
    const marked = entry.kind === "node" ? this.#marked(entry) : entry;
    const text = JSON.stringify(marked);
    const before = this.#held.get(key);
    if (before?.text === text && before.audience === audience) return;
    if (entry.kind === "node") this.#turn(entry.id, entry.isWayIn === true);
    this.#held.set(key, { entry: marked, text, audience });
    this.#chars += text.length - (before?.text.length ?? 0);
    this.#note(key, entry, before?.audience === "all" ? "all" : audience);
    if (audience === "ways-in") this.#wayInKeys.set(key, { kind: entry.kind, id: entry.id });
    else this.#wayInKeys.delete(key);
  }

  remove(kind: NetworkEntryKind, id: string): void {
    const key = keyOf({ kind, id });
    const before = this.#held.get(key);
    if (before === undefined) return;
    if (kind === "node") this.#turn(id, false);
    this.#held.delete(key);
    this.#wayInKeys.delete(key);
    this.#chars -= before.text.length;
    this.#note(key, { kind, id }, before.audience);
  }

  /** Which nodes are silent is known by their leases, and stands on the entries that say the rest of them. */
  setSilent(silent: ReadonlySet<string>): void {
    const before = this.#silent;
    this.#silent = silent;
    for (const id of new Set([...before, ...silent])) {
      const held = before.has(id) === silent.has(id) ? undefined : this.#held.get(keyOf({ kind: "node", id }));
      if (held !== undefined) this.put(held.entry, held.audience);
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
  take(): TableChange {
    const [changed, turned] = [this.#changed, this.#turned];
    this.#changed = new Map();
    this.#turned = new Set();
    return { changed, turned };
  }

  #marked(entry: Extract<NetworkEntry, { kind: "node" }>): NetworkEntry {
    const { isSilent: _before, ...rest } = entry;
    return this.#silent.has(entry.id) ? { ...rest, isSilent: true } : rest;
  }

  #turn(node: string, isWayIn: boolean): void {
    if (this.#waysIn.has(node) === isWayIn) return;
    if (isWayIn) this.#waysIn.add(node);
    else this.#waysIn.delete(node);
    this.#turned.add(node);
  }

  /** Who was told of it before is told that it has changed, or is gone. */
  #note(key: string, { kind, id }: EntryId, audience: Audience): void {
    const shelf = this.#shelves[shelfOf(kind, id)] as Shelf;
    shelf.version++;
    this.#version++;
    if (this.#held.has(key)) shelf.keys.add(key);
    else shelf.keys.delete(key);
    const isForAll = audience === "all" || this.#changed.get(key)?.audience === "all";
    this.#changed.set(key, { kind, id, audience: isForAll ? "all" : "ways-in" });
  }
}

export function keyOf({ kind, id }: EntryId): string {
  return `${kind} ${id}`;
}
