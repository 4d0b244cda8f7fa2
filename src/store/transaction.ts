import { ApiError } from "../model/errors.ts";
import { type Draft, type Kind, keyOf, type StoredObject } from "../model/meta.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { Random } from "../seams/random.ts";
import { Overlay } from "./overlay.ts";
import type { Table } from "./table.ts";

/** One change of one object. `object` is what it became, or for a removal what it was last, with the revision of the removal. */
export interface Change {
  readonly type: "added" | "modified" | "removed";
  readonly kind: Kind;
  readonly key: string;
  readonly object: StoredObject;
  /** What it was before; absent for "added". */
  readonly before?: StoredObject;
  readonly revision: number;
}

/** Read access, to what is committed or to what a transaction sees. Objects are shared and must not be changed. */
export interface Reader {
  get<T extends StoredObject>(kind: Kind<T>, key: string): T | undefined;
  /** All objects of a kind, or of one namespace, sorted by key. */
  list<T extends StoredObject>(kind: Kind<T>, namespace?: string): readonly T[];
  /** Objects under an index value, sorted by key. */
  by<T extends StoredObject>(kind: Kind<T>, index: string, value: string): readonly T[];
}

/** A transaction's view: what is committed, what is on its way to the disk, and its own changes on top. */
export interface Tx extends Reader {
  /** Wall time of this transaction; the same for all its changes. */
  readonly nowMs: number;
  /** Gives uid, timestamps and revision. Refuses a taken name with AlreadyExists. */
  create<T extends StoredObject>(kind: Kind<T>, draft: Draft<T>): T;
  /**
   * Replaces. NotFound when it is gone; Conflict when `metadata.resourceVersion` is set and is not the present one.
   * uid, creationTimestamp stay; generation counts up when `spec` changed. An identical object is no change at all.
   */
  update<T extends StoredObject>(kind: Kind<T>, object: T): T;
  /** Writes it again as it is, as a new revision: for what the journal is to keep in another form from now on. Gone already is fine. */
  rewrite(kind: Kind, key: string): void;
  /** Removes at once; gone already is fine. (A pod's deletion with grace is model/pod-deletion's.) */
  remove(kind: Kind, key: string): void;
  /** What is on its way to the disk and not committed yet, earlier transactions' only: an object, or undefined for a removal. For who keeps a mirror of what is committed. */
  uncommitted<T extends StoredObject>(kind: Kind<T>): Iterable<readonly [key: string, object: T | undefined]>;
}

type Pending = ReadonlyMap<string, Overlay>;

export class Transaction implements Tx {
  readonly nowMs: number;
  readonly changes: Change[] = [];
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #pending: Pending;
  readonly #own = new Map<string, Overlay>();
  readonly #random: Random;
  #revision: number;

  constructor(tables: ReadonlyMap<string, Table>, pending: Pending, revision: number, nowMs: number, random: Random) {
    this.#tables = tables;
    this.#pending = pending;
    this.#revision = revision;
    this.nowMs = nowMs;
    this.#random = random;
  }

  get revision(): number {
    return this.#revision;
  }

  get<T extends StoredObject>(kind: Kind<T>, key: string): T | undefined {
    const own = this.#own.get(kind.name);
    if (own?.has(key)) return own.get(key) as T | undefined;
    const pending = this.#pending.get(kind.name);
    if (pending?.has(key)) return pending.get(key) as T | undefined;
    return this.#table(kind).get(key);
  }

  list<T extends StoredObject>(kind: Kind<T>, namespace?: string): readonly T[] {
    if (namespace !== undefined) return this.by(kind, "namespace", namespace);
    return this.#collect(kind, this.#table(kind).keys());
  }

  by<T extends StoredObject>(kind: Kind<T>, index: string, value: string): readonly T[] {
    return this.#collect(kind, this.#table(kind).keysBy(index, value), { index, value });
  }

  create<T extends StoredObject>(kind: Kind<T>, draft: Draft<T>): T {
    const key = keyOf(draft);
    if (this.get(kind, key)) {
      throw new ApiError("AlreadyExists", `${kind.name} ${key} already exists`, {
        kind: kind.name,
        name: draft.metadata.name,
      });
    }
    const revision = ++this.#revision;
    const object = {
      ...draft,
      metadata: {
        ...draft.metadata,
        uid: draft.metadata.uid ?? this.#random.uuid(),
        resourceVersion: String(revision),
        generation: 1,
        creationTimestamp: rfc3339(this.nowMs),
      },
    } as unknown as T;
    this.#write(kind, key, object);
    this.changes.push({ type: "added", kind: kind, key, object, revision });
    return object;
  }

  update<T extends StoredObject>(kind: Kind<T>, object: T): T {
    const key = keyOf(object);
    const before = this.get(kind, key);
    const { name, resourceVersion } = object.metadata;
    if (!before) throw new ApiError("NotFound", `${kind.name} ${key} does not exist`, { kind: kind.name, name });
    if (resourceVersion && resourceVersion !== before.metadata.resourceVersion) {
      const what = `Operation cannot be fulfilled on ${kind.name} "${name}": the object has been modified; please apply your changes to the latest version and try again`;
      throw new ApiError("Conflict", what, { kind: kind.name, name });
    }
    return sameContent(before, object) ? before : this.#replace(kind, before, object);
  }

  rewrite(kind: Kind, key: string): void {
    const before = this.get(kind, key);
    if (before) this.#replace(kind, before, before);
  }

  #replace<T extends StoredObject>(kind: Kind<T>, before: T, object: T): T {
    const key = keyOf(object);
    const revision = ++this.#revision;
    const after = {
      ...object,
      metadata: {
        ...object.metadata,
        uid: before.metadata.uid,
        creationTimestamp: before.metadata.creationTimestamp,
        resourceVersion: String(revision),
        generation: before.metadata.generation + (sameSpec(before, object) ? 0 : 1),
      },
    };
    this.#write(kind, key, after);
    this.changes.push({ type: "modified", kind: kind, key, object: after, before, revision });
    return after;
  }

  remove(kind: Kind, key: string): void {
    const before = this.get(kind, key);
    if (!before) return;
    const revision = ++this.#revision;
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(revision) } };
    this.#write(kind, key, undefined);
    this.changes.push({ type: "removed", kind, key, object, before, revision });
  }

  uncommitted<T extends StoredObject>(kind: Kind<T>): Iterable<readonly [string, T | undefined]> {
    return (this.#pending.get(kind.name)?.rows ?? new Map<string, never>()) as ReadonlyMap<string, T | undefined>;
  }

  #table<T extends StoredObject>(kind: Kind<T>): Table<T> {
    const table = this.#tables.get(kind.name);
    if (!table) throw new Error(`kind ${kind.name} is not registered with the store`);
    return table as unknown as Table<T>;
  }

  #write(kind: Kind, key: string, object: StoredObject | undefined): void {
    let own = this.#own.get(kind.name);
    if (!own) {
      own = new Overlay(this.#table(kind).kind as unknown as Kind);
      this.#own.set(kind.name, own);
    }
    own.set(key, object, this.#revision);
  }

  /** Committed keys with both overlays laid over them, the transaction's own on top. Costs what it finds, however much is pending. */
  #collect<T extends StoredObject>(
    kind: Kind<T>,
    committed: Iterable<string>,
    by?: { readonly index: string; readonly value: string },
  ): readonly T[] {
    const [pending, own] = [this.#pending.get(kind.name), this.#own.get(kind.name)];
    const keys: string[] = [];
    for (const key of committed) if (!pending?.has(key) && !own?.has(key)) keys.push(key);
    for (const key of pending?.keys(by) ?? []) if (!own?.has(key)) keys.push(key);
    for (const key of own?.keys(by) ?? []) keys.push(key);
    return keys.sort().flatMap((key) => this.get(kind, key) ?? []);
  }
}

/** Equal but for what the store itself writes into metadata. */
function sameContent(a: StoredObject, b: StoredObject): boolean {
  if (a === b) return true;
  const plain = ({ metadata, ...rest }: StoredObject) => {
    const { resourceVersion: _v, generation: _g, uid: _u, creationTimestamp: _c, ...own } = metadata;
    return { own, rest };
  };
  return sameJson(plain(a), plain(b));
}

function sameSpec(a: StoredObject, b: StoredObject): boolean {
  return sameJson((a as { spec?: unknown }).spec, (b as { spec?: unknown }).spec);
}

/** Deeper than anything that is taken: it counts as different there, which costs a write and no more. */
const DEEPEST = 512;

/** Deep equality of JSON values, where a property that is undefined equals one that is absent. Stops at the first shared reference or difference. */
export function sameJson(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true;
  if (depth > DEEPEST) return false;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, i) => sameJson(item, b[i], depth + 1))
    );
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!sameJson(left[key], right[key], depth + 1)) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}
