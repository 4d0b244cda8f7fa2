/**
 * All state, in memory, made durable by a journal. Stages of the flow meet only here: each watches the store and
 * writes the store.
 *
 * A transaction runs synchronously on the pending state (committed + on its way to the disk). Its changes become
 * visible to readers and watchers when the journal has them; that is also when its promise resolves. While one batch
 * is being written, further transactions gather into the next (group commit).
 *
 * On a journal that several processes share, one store leads and writes; the others follow what it appends, and serve
 * reads and watches at the same revisions.
 */
import { assert } from "../lib/assert.ts";
import { ApiError } from "../model/errors.ts";
import type { Kind, StoredObject } from "../model/meta.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Journal, JournalContents, JournalEntry, Leadership, SharedJournal } from "./journal.ts";
import { changeOf } from "./received.ts";
import { RowTexts } from "./row-texts.ts";
import { type Table, tablesOf } from "./table.ts";
import { type Change, type Reader, Transaction, type Tx } from "./transaction.ts";
import { History, type WatchOptions } from "./watch.ts";
import { WriteQueue } from "./write-queue.ts";

export interface StoreOptions {
  readonly kinds: readonly Kind[];
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How many changes watchers can look back. */
  readonly historyLimit?: number;
}

export interface FollowingOptions extends StoreOptions {
  readonly journal: SharedJournal;
  /** Following has ended: what is read here grows old, watches end with Expired, and a new store has to be opened. */
  readonly onLost?: (reason: string) => void;
}

/** Makes `update(async …)` a type error: a transaction has no moment in which anything else could run. */
type Synchronous<R> = R extends PromiseLike<unknown> ? never : R;

/** `ended`: closed, or no longer followed. */
type Role = "leading" | "following" | "ended";

export class Store implements Reader {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #history: History;
  readonly #queue: WriteQueue;
  readonly #texts: RowTexts;
  #revision: number;
  #role: Role = "leading";
  #isDeposed = false;

  /** Reads everything from the journal, and leads: nobody else has it. */
  static async open(options: StoreOptions): Promise<Store> {
    return new Store(options, await options.journal.load());
  }

  /** Reads everything from the journal and follows it: reads and watches work, writes are refused until `lead`. */
  static async openFollowing(options: FollowingOptions): Promise<Store> {
    const store = new Store(options, await options.journal.load());
    store.#role = "following";
    options.journal.follow({
      batch: (entries) => store.#receive(entries),
      lost: (reason) => store.#lose(reason, options.onLost),
    });
    return store;
  }

  private constructor(options: StoreOptions, contents: JournalContents) {
    this.#journal = options.journal;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log;
    this.#tables = tablesOf(options.kinds, contents.rows);
    this.#texts = new RowTexts(options.journal.maxRowBytes);
    const { revision } = contents;
    this.#revision = revision;
    this.#history = new History(options.historyLimit ?? 50_000, revision);
    this.#queue = new WriteQueue({
      journal: options.journal,
      log: options.log,
      revision,
      entry: (change) => this.#entry(change),
      durable: (changes) => this.#show(changes, changes.at(-1)?.revision ?? this.#revision),
    });
  }

  /** The revision of the last durable change. */
  get revision(): number {
    return this.#revision;
  }

  /** Why writes are refused at present, or undefined when they are not. Of a store that leads. */
  get refusal(): string | undefined {
    return this.#role === "leading" ? this.#queue.refusal : undefined;
  }

  /** Whether it writes. False for one that follows. */
  get isLeading(): boolean {
    return this.#role === "leading";
  }

  /** It led and was deposed, and has not led again since. */
  get isDeposed(): boolean {
    return this.#isDeposed;
  }

  /** From now on this store writes, until the leadership is lost; then it follows again. Watches go on through both. */
  lead(leadership: Leadership): void {
    assert(this.#role === "following" && this.#queue.isIdle, "a store that follows can be made to lead");
    this.#role = "leading";
    this.#isDeposed = false;
    const { lost } = leadership;
    lost.addEventListener("abort", () => this.#depose(lost), { once: true });
    if (lost.aborted) this.#depose(lost);
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
   * did. Rejects with Unavailable when the journal cannot write: nothing was changed, or, when this server stopped leading
   * meanwhile, it is not known; the words say which.
   */
  update<R>(change: (tx: Tx) => Synchronous<R>): Promise<R> {
    const objection = this.#objection();
    if (objection) return Promise.reject(objection);
    const [pending, revision] = [this.#queue.pending, this.#queue.revision];
    const tx = new Transaction(this.#tables, pending, revision, this.#clock.now(), this.#random);
    let result: R;
    let bytes: number;
    try {
      result = change(tx);
      // Here, and not when the batch is written: what cannot be written fails its author alone.
      bytes = this.#texts.sizeOf(tx.changes);
    } catch (error) {
      // What it objects to may be on its way to the disk, and not get there.
      return this.#queue.afterWhatIsUnderWay().then(() => Promise.reject(error as Error));
    }
    const written =
      tx.changes.length === 0 ? this.#queue.afterWhatIsUnderWay() : this.#queue.add(tx.changes, tx.revision, bytes);
    return written.then(() => result);
  }

  /** Changes after `revision` (default: from now on), in batches, of the kinds given or of all. Ends when `signal` aborts; throws Expired. */
  watch(options: WatchOptions): AsyncGenerator<readonly Change[], void, undefined> {
    return this.#history.watch(() => this.#revision, options);
  }

  /** How many watches are open: those of clients, and those of the parts of this process. */
  get watches(): number {
    return this.#history.watches;
  }

  /** Resolves once this store has `revision`: on a follower, what the leader has answered is read here too. */
  async waitFor(revision: number, signal?: AbortSignal): Promise<void> {
    while (this.#revision < revision) {
      signal?.throwIfAborted();
      await this.#history.next(signal);
    }
  }

  /** An object's JSON, made once per version. */
  json(object: StoredObject): string {
    return this.#texts.of(object);
  }

  /** Waits for what is under way, then closes the journal. */
  async close(): Promise<void> {
    this.#role = "ended";
    await this.#queue.whenIdle();
    this.#history.end(new ApiError("Unavailable", "the store is closed"));
    await this.#journal.close();
  }

  #objection(): ApiError | undefined {
    if (this.#role === "leading") return undefined;
    if (this.#role === "ended") return new ApiError("Unavailable", "the store is closed; nothing was changed");
    return new ApiError("Unavailable", "this server follows another, which alone can write; nothing was changed", {
      retryAfterSeconds: 1,
    });
  }

  #table<T extends StoredObject>(kind: Kind<T>): Table<T> {
    const table = this.#tables.get(kind.name);
    if (!table) throw new Error(`kind ${kind.name} is not registered with the store`);
    return table as unknown as Table<T>;
  }

  #inOrder<T extends StoredObject>(table: Table<T>, keys: Iterable<string>): readonly T[] {
    return [...keys].sort().flatMap((key) => table.get(key) ?? []);
  }

  #entry({ kind, key, revision, type, object }: Change): JournalEntry {
    return { kind: kind.name, key, revision, json: type === "removed" ? undefined : this.json(object) };
  }

  #show(changes: readonly Change[], revision: number): void {
    for (const change of changes) this.#apply(change);
    this.#revision = revision;
    this.#history.append(changes);
  }

  #apply({ kind, key, type, object, before }: Change): void {
    if (before) this.#texts.forget(before);
    this.#table(kind).apply(key, type === "removed" ? undefined : object);
  }

  /** After what this store itself had under way when it was deposed. */
  #receive(entries: readonly JournalEntry[]): void {
    assert(this.#role !== "leading", "a store that leads hears of no other's writes");
    if (this.#queue.isIdle) this.#follow(entries);
    else void this.#queue.whenIdle().then(() => this.#follow(entries));
  }

  /** One by one: an entry may change what an earlier one of its batch made. */
  #follow(entries: readonly JournalEntry[]): void {
    if (this.#role === "ended") return;
    const changes: Change[] = [];
    for (const entry of entries) {
      assert(entry.revision > this.#revision, "batches of the leader come in order, once");
      const change = changeOf(entry, this.#tables.get(entry.kind));
      if (!change) continue;
      this.#apply(change);
      changes.push(change);
    }
    this.#revision = entries.at(-1)?.revision ?? this.#revision;
    this.#queue.advance(this.#revision);
    this.#history.append(changes);
  }

  #depose(lost: AbortSignal): void {
    if (this.#role !== "ended") this.#role = "following";
    this.#isDeposed = true;
    const why = lost.reason instanceof Error ? lost.reason.message : String(lost.reason);
    this.#log.warn("this server no longer leads", { why });
    this.#queue.depose(why);
  }

  #lose(reason: string, onLost: ((reason: string) => void) | undefined): void {
    if (this.#role === "ended") return;
    this.#role = "ended";
    this.#log.warn("the journal can no longer be followed", { reason });
    const later = new ApiError("Unavailable", `the store is being opened anew: ${reason}`, { retryAfterSeconds: 1 });
    this.#history.end(new ApiError("Expired", `too old resource version: ${reason}`), later);
    onLost?.(reason);
  }
}
