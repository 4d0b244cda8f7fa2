/**
 * All state, in memory, made durable by a journal. Stages of the flow meet only here: each watches the store and
 * writes the store.
 *
 * A transaction runs synchronously on the pending state (committed + on its way to the disk). Its changes become
 * visible to readers and watchers when the journal has them; that is also when its promise resolves. While one batch
 * is being written, further transactions gather into the next (group commit).
 */
import { ApiError } from "../model/errors.ts";
import type { Kind, StoredObject } from "../model/meta.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import { type Journal, type JournalEntry, JournalRefusal } from "./journal.ts";
import { Overlay } from "./overlay.ts";
import { Table } from "./table.ts";
import { type Change, type Reader, Transaction, type Tx } from "./transaction.ts";
import { History } from "./watch.ts";

export interface StoreOptions {
  readonly kinds: readonly Kind[];
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How many changes watchers can look back. */
  readonly historyLimit?: number;
}

/** Makes `update(async …)` a type error: a transaction has no moment in which anything else could run. */
type Synchronous<R> = R extends PromiseLike<unknown> ? never : R;

interface Batch {
  readonly changes: Change[];
  readonly settle: { readonly resolve: () => void; readonly reject: (reason: Error) => void }[];
}

export class Store implements Reader {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #history: History;
  readonly #json = new WeakMap<StoredObject, string>();
  /** What the tables will be once everything under way is durable: only the rows that differ. */
  #pending = new Map<string, Overlay>();
  #pendingRevision: number;
  #revision: number;
  #gathering: Batch = { changes: [], settle: [] };
  /** The batch that the journal has at present. */
  #inFlight: Batch | undefined;
  #writing: Promise<void> | undefined;
  #refusal: string | undefined;
  #closed = false;

  /** Reads everything from the journal. */
  static async open(options: StoreOptions): Promise<Store> {
    const contents = await options.journal.load();
    const tables = new Map<string, Table>();
    for (const kind of options.kinds) tables.set(kind.name, new Table(kind));
    for (const { kind, key, json } of contents.rows) {
      // A row of a kind that this version does not know is kept on disk and left alone.
      tables.get(kind)?.apply(key, JSON.parse(json) as StoredObject);
    }
    return new Store(options, tables, contents.revision);
  }

  private constructor(options: StoreOptions, tables: ReadonlyMap<string, Table>, revision: number) {
    this.#journal = options.journal;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log;
    this.#tables = tables;
    this.#revision = revision;
    this.#pendingRevision = revision;
    this.#history = new History(options.historyLimit ?? 50_000, revision);
  }

  /** The revision of the last durable change. */
  get revision(): number {
    return this.#revision;
  }

  /** Why writes are refused at present, or undefined when they are not. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  get<T extends StoredObject>(kind: Kind<T>, key: string): T | undefined {
    return this.#table(kind).get(key);
  }

  list<T extends StoredObject>(kind: Kind<T>, namespace?: string): readonly T[] {
    if (namespace !== undefined) return this.by(kind, "namespace", namespace);
    const table = this.#table(kind);
    return this.#inOrder(table, table.keys());
  }

  by<T extends StoredObject>(kind: Kind<T>, index: string, value: string): readonly T[] {
    const table = this.#table(kind);
    return this.#inOrder(table, table.keysBy(index, value));
  }

  /**
   * All objects of a kind, in no order, as they are when they are come to: for who looks at very many in slices, between
   * which others write. One that is removed and made again meanwhile may come twice.
   */
  scan<T extends StoredObject>(kind: Kind<T>): IterableIterator<T> {
    return this.#table(kind).values();
  }

  /** How many objects of a kind there are. */
  count(kind: Kind): number {
    return this.#table(kind).size;
  }

  /**
   * Runs `change` now and resolves with its result once the journal has it. Throwing inside undoes everything `change`
   * did. Rejects with Unavailable when the journal cannot write; then nothing was changed.
   */
  update<R>(change: (tx: Tx) => Synchronous<R>): Promise<R> {
    if (this.#closed) return Promise.reject(new ApiError("Unavailable", "the store is closed"));
    const tx = new Transaction(this.#tables, this.#pending, this.#pendingRevision, this.#clock.now(), this.#random);
    let result: R;
    try {
      result = change(tx);
      // Here, and not when the batch is written: what cannot be written fails its author alone.
      for (const { type, object } of tx.changes) if (type !== "removed") this.json(object);
    } catch (error) {
      return Promise.reject(error);
    }
    if (tx.changes.length === 0) return this.#afterBatchUnderWay().then(() => result);
    this.#pendingRevision = tx.revision;
    for (const entry of tx.changes) this.#overlay(entry);
    for (const entry of tx.changes) this.#gathering.changes.push(entry);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#gathering.settle.push({ resolve, reject });
    this.#writing ??= this.#flush();
    return promise.then(() => result);
  }

  /** Changes after `revision` (default: from now on), in batches, of the kinds given or of all. Ends when `signal` aborts; throws Expired. */
  async *watch(options: {
    readonly kinds?: readonly Kind[];
    readonly since?: number;
    readonly signal?: AbortSignal;
  }): AsyncGenerator<readonly Change[], void, undefined> {
    const names = options.kinds && new Set(options.kinds.map(({ name }) => name));
    let cursor = options.since ?? this.#revision;
    while (!options.signal?.aborted) {
      const all = this.#history.since(cursor);
      const last = all.at(-1);
      if (!last) {
        await this.#history.next(options.signal);
        continue;
      }
      cursor = last.revision;
      const mine = names ? all.filter(({ kind }) => names.has(kind.name)) : all;
      if (mine.length > 0) yield mine;
    }
  }

  /** An object's JSON, made once per version for the journal and for all watchers that keep up. */
  json(object: StoredObject): string {
    const known = this.#json.get(object);
    if (known !== undefined) return known;
    const text = JSON.stringify(object);
    this.#json.set(object, text);
    return text;
  }

  /** Waits for what is under way, then closes the journal. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#writing) await this.#writing;
    this.#history.end(new ApiError("Unavailable", "the store is closed"));
    await this.#journal.close();
  }

  #table<T extends StoredObject>(kind: Kind<T>): Table<T> {
    const table = this.#tables.get(kind.name);
    if (!table) throw new Error(`kind ${kind.name} is not registered with the store`);
    return table as unknown as Table<T>;
  }

  #inOrder<T extends StoredObject>(table: Table<T>, keys: Iterable<string>): readonly T[] {
    return [...keys].sort().flatMap((key) => table.get(key) ?? []);
  }

  /** A read-only transaction may have seen changes that are not durable yet: its answer waits for them. */
  #afterBatchUnderWay(): Promise<void> {
    const last = this.#gathering.changes.length > 0 ? this.#gathering : this.#inFlight;
    if (!last) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    last.settle.push({ resolve, reject });
    return promise;
  }

  #overlay({ kind, key, type, object, revision }: Change): void {
    const value = type === "removed" ? undefined : object;
    const rows = this.#pending.get(kind.name);
    if (rows) {
      rows.set(key, value, revision);
      return;
    }
    const first = new Overlay(kind);
    first.set(key, value, revision);
    this.#pending.set(kind.name, first);
  }

  async #flush(): Promise<void> {
    // One turn of the microtask queue, so that requests handled together are written together.
    await Promise.resolve();
    while (this.#gathering.changes.length > 0) {
      const batch = this.#gathering;
      this.#gathering = { changes: [], settle: [] };
      this.#inFlight = batch;
      try {
        await this.#journal.append(batch.changes.map((change) => this.#entry(change)));
      } catch (error) {
        this.#inFlight = undefined;
        this.#abandon(batch, error as Error);
        continue;
      }
      this.#inFlight = undefined;
      this.#refusal = undefined;
      this.#commit(batch);
    }
    this.#writing = undefined;
  }

  #entry({ kind, key, revision, type, object }: Change): JournalEntry {
    return { kind: kind.name, key, revision, json: type === "removed" ? undefined : this.json(object) };
  }

  #commit(batch: Batch): void {
    for (const { kind, key, type, object, before, revision } of batch.changes) {
      // The history keeps versions for those who look back; their text, which is as large again, is made anew for them.
      if (before) this.#json.delete(before);
      const value = type === "removed" ? undefined : object;
      this.#table(kind).apply(key, value);
      this.#revision = revision;
      const rows = this.#pending.get(kind.name);
      // A later transaction may have laid another version over this one.
      if (rows?.revisionOf(key) === revision) rows.delete(key);
    }
    this.#history.append(batch.changes);
    for (const { resolve } of batch.settle) resolve();
  }

  /** Later transactions were built on the lost batch, so they are lost with it: nobody was told that they happened. */
  #abandon(batch: Batch, error: Error): void {
    const later = this.#gathering;
    this.#gathering = { changes: [], settle: [] };
    this.#pending = new Map();
    this.#pendingRevision = this.#revision;
    this.#refusal = error.message;
    this.#log.error("the journal refused a batch", { error: error.message, changes: batch.changes.length });
    const refusal =
      error instanceof JournalRefusal
        ? new ApiError(
            "Unavailable",
            `the store cannot write: ${error.message}; nothing was changed, and everything that runs goes on running`,
          )
        : error;
    for (const { reject } of [...batch.settle, ...later.settle]) reject(refusal);
  }
}
