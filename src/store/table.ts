import type { Kind, StoredObject } from "../model/meta.ts";

/** The committed objects of one kind, by key and by each of the kind's indexes. */
export class Table<T extends StoredObject = StoredObject> {
  readonly kind: Kind<T>;
  readonly #objects = new Map<string, T>();
  readonly #indexes: ReadonlyMap<string, Map<string, Set<string>>>;
  readonly #none: ReadonlySet<string> = new Set();

  constructor(kind: Kind<T>) {
    this.kind = kind;
    this.#indexes = new Map(Object.keys(kind.indexes).map((name) => [name, new Map()]));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  /** Keys under an index value. Unknown index names are a bug. */
  keysBy(index: string, value: string): ReadonlySet<string> {
    const entries = this.#indexes.get(index);
    if (!entries) throw new Error(`kind ${this.kind.name} has no index "${index}"`);
    return entries.get(value) ?? this.#none;
  }

  /** Puts or, with undefined, removes. */
  apply(key: string, object: T | undefined): void {
    const before = this.#objects.get(key);
    for (const [name, entries] of this.#indexes) {
      const valuesOf = this.kind.indexes[name];
      if (!valuesOf) continue;
      if (before) for (const value of valuesOf(before)) this.#unlink(entries, value, key);
      if (object) for (const value of valuesOf(object)) this.#link(entries, value, key);
    }
    if (object) this.#objects.set(key, object);
    else this.#objects.delete(key);
  }

  #link(entries: Map<string, Set<string>>, value: string, key: string): void {
    const keys = entries.get(value);
    if (keys) keys.add(key);
    else entries.set(value, new Set([key]));
  }

  #unlink(entries: Map<string, Set<string>>, value: string, key: string): void {
    const keys = entries.get(value);
    keys?.delete(key);
    if (keys?.size === 0) entries.delete(value);
  }
}

/** One table per kind. A row of a kind that this version does not know is kept on disk and left alone. */
export function tablesOf(
  kinds: readonly Kind[],
  rows: readonly { readonly kind: string; readonly key: string; readonly json: string }[],
): ReadonlyMap<string, Table> {
  const tables = new Map<string, Table>();
  for (const kind of kinds) tables.set(kind.name, new Table(kind));
  for (const { kind, key, json } of rows) tables.get(kind)?.apply(key, JSON.parse(json) as StoredObject);
  return tables;
}
