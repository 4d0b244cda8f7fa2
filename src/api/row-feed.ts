import { ApiError } from "../model/errors.ts";
import type { Kind } from "../model/meta.ts";
import type { RowChange } from "../model/reports.ts";
import type { Clock } from "../seams/clock.ts";
import type { Store } from "../store/store.ts";
import { slices } from "./slices.ts";

/** Rows are derived again at most this often, however fast the store changes. */
const PAUSE_MS = 200;

interface FeedOptions<Row> {
  readonly store: Store;
  readonly clock: Clock;
  /** Changes of these may change rows. */
  readonly kinds: readonly Kind[];
  readonly list: () => readonly Row[] | Promise<readonly Row[]>;
  readonly id: (row: Row) => string;
  /** Rows tell more than the store does: they are derived anew at least this often while somebody watches. */
  readonly anewEveryMs?: number;
}

interface Known<Row> {
  readonly row: Row;
  readonly text: string;
  /** The version of the list that brought it. */
  readonly version: number;
  /** The version in which there was first a row of this id. */
  readonly first: number;
}

/** A row that is not there any more: of interest to watchers that have come as far as `first`, and not as far as `version`. */
interface Gone {
  readonly version: number;
  readonly first: number;
}

/** How far one watcher has come; 0 = it has been told nothing yet. */
interface Cursor {
  version: number;
  /** It reads so slowly that what it has missed is not kept any longer. */
  isLost: boolean;
}

/** So many rows that are gone are kept for watchers in any case. */
const GONE_KEPT = 1000;

/**
 * A list for any number of watchers. Derived anew from the whole store each time something changes: rows are cheap, and
 * a missed change cannot leave a wrong row behind. Derived once for all who watch, in slices, and not at all while nobody does.
 */
export class RowFeed<Row> {
  readonly #options: FeedOptions<Row>;
  readonly #cursors = new Set<Cursor>();
  #rows = new Map<string, Known<Row>>();
  /** For watchers that have not heard. */
  readonly #gone = new Map<string, Gone>();
  #version = 0;
  #derivedAt: number | undefined;
  /** What the last version changed: all that a watcher who keeps up needs. */
  #latest: readonly RowChange<Row>[] = [];
  #news = Promise.withResolvers<void>();
  #following: AbortController | undefined;
  /** Why the store cannot be followed any more. */
  #failure: Error | undefined;
  #pauseMs = PAUSE_MS;
  #deriving: Promise<void> | undefined;
  /** Counts up when everything is forgotten: what was begun before is of no use. */
  #epoch = 0;

  constructor(options: FeedOptions<Row>) {
    this.#options = options;
  }

  /** Rows as they are now. */
  async list(): Promise<readonly Row[]> {
    return this.#options.list();
  }

  /**
   * Rows as they are, `synced`, then what changes, until `signal` aborts. A watcher that reads slowly skips what is
   * outdated; one that has missed too much is ended with Expired.
   */
  async *watch(signal: AbortSignal): AsyncGenerator<RowChange<Row>, void, undefined> {
    const cursor: Cursor = { version: 0, isLost: false };
    this.#cursors.add(cursor);
    try {
      await this.#fresh();
      this.#follow();
      yield* this.#take(cursor);
      yield { type: "synced" };
      while (!signal.aborted) {
        if (cursor.isLost) throw new ApiError("Expired", "this watch has missed too much: list again");
        if (cursor.version !== this.#version) yield* this.#take(cursor);
        else if (this.#failure) throw this.#failure;
        else await orAbort(this.#news.promise, signal);
      }
    } finally {
      this.#cursors.delete(cursor);
      if (this.#cursors.size === 0) this.#rest();
    }
  }

  /** What is new for a watcher, which from now on has it. */
  #take(cursor: Cursor): readonly RowChange<Row>[] {
    const since = cursor.version;
    cursor.version = this.#version;
    if (since === this.#version - 1 && since > 0) return this.#latest;
    const changes: RowChange<Row>[] = [];
    for (const [id, { row, version }] of this.#rows) if (version > since) changes.push({ type: "row", id, row });
    if (since > 0)
      for (const [id, { version, first }] of this.#gone)
        if (version > since && first <= since) changes.push({ type: "gone", id });
    return changes;
  }

  /** Derives at least what is stored now. */
  async #fresh(): Promise<void> {
    const { revision } = this.#options.store;
    do await this.#derive();
    while (this.#derivedAt === undefined || this.#derivedAt < revision);
  }

  /** Once for all who ask meanwhile. */
  #derive(): Promise<void> {
    const { store, anewEveryMs } = this.#options;
    if (this.#deriving) return this.#deriving;
    if (this.#derivedAt === store.revision && anewEveryMs === undefined) return Promise.resolve();
    this.#deriving = this.#deriveAnew().finally(() => {
      this.#deriving = undefined;
    });
    return this.#deriving;
  }

  async #deriveAnew(): Promise<void> {
    const { store, clock, list, id: idOf } = this.#options;
    const [epoch, { revision }] = [this.#epoch, store];
    const listed = await list();
    const slice = slices(clock);
    const texts: string[] = [];
    for (const row of listed) {
      texts.push(JSON.stringify(row));
      await slice();
    }
    if (epoch !== this.#epoch) return;
    const next = this.#version + 1;
    const rows = new Map<string, Known<Row>>();
    const changes: RowChange<Row>[] = [];
    for (const [at, row] of listed.entries()) {
      const id = idOf(row);
      const text = texts[at] ?? "";
      const known = this.#rows.get(id);
      const isNew = known?.text !== text;
      const first = known?.first ?? this.#gone.get(id)?.first ?? next;
      rows.set(id, isNew ? { row, text, version: next, first } : known);
      if (isNew) changes.push({ type: "row", id, row });
    }
    for (const [id, { first }] of this.#rows) {
      if (rows.has(id)) continue;
      changes.push({ type: "gone", id });
      this.#gone.set(id, { version: next, first });
    }
    this.#derivedAt = revision;
    this.#rows = rows;
    // The first version is there also when it is empty: a watcher at version 0 has seen nothing.
    if (changes.length > 0 || this.#version === 0) this.#publish(next, changes);
  }

  #publish(version: number, changes: readonly RowChange<Row>[]): void {
    this.#forgetGone();
    // Watchers at very different places can each need something else: the slowest lists again.
    while (this.#gone.size > GONE_KEPT + this.#rows.size) {
      const slowest = [...this.#cursors].filter(hasBegun).sort((a, b) => a.version - b.version)[0];
      if (!slowest) break;
      slowest.isLost = true;
      this.#forgetGone();
    }
    this.#version = version;
    this.#latest = changes;
    this.#wake();
  }

  /** What no watcher has been told of needs not be taken back. */
  #forgetGone(): void {
    const places = [...new Set([...this.#cursors].filter(hasBegun).map((cursor) => cursor.version))];
    for (const [id, { version, first }] of this.#gone) {
      const isNeeded = places.some((place) => first <= place && place < version);
      if (!isNeeded || this.#rows.has(id)) this.#gone.delete(id);
    }
  }

  #wake(): void {
    const { resolve } = this.#news;
    this.#news = Promise.withResolvers<void>();
    resolve();
  }

  #follow(): void {
    if (this.#following) return;
    const following = new AbortController();
    this.#following = following;
    this.#failure = undefined;
    this.#run(following.signal).catch((error: Error) => {
      if (this.#following !== following) return;
      this.#following = undefined;
      this.#failure = error;
      this.#wake();
    });
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { store, clock, kinds, anewEveryMs } = this.#options;
    while (!signal.aborted) {
      const turn = new AbortController();
      const timer = anewEveryMs === undefined ? undefined : clock.setTimer(anewEveryMs, () => turn.abort());
      const until = timer ? AbortSignal.any([signal, turn.signal]) : signal;
      await nextChange(store, kinds, this.#derivedAt ?? store.revision, until);
      timer?.cancel();
      // Ten times what a listing costs: watchers may take a tenth of the loop at most.
      await clock.sleep(this.#pauseMs, signal).catch(onlyAbort);
      if (signal.aborted) return;
      const began = clock.monotonic();
      await this.#derive();
      this.#pauseMs = Math.max(PAUSE_MS, (clock.monotonic() - began) * 10);
    }
  }

  /** Nobody watches: nothing is followed, and nothing is kept. */
  #rest(): void {
    this.#following?.abort();
    this.#following = undefined;
    this.#epoch++;
    this.#rows = new Map();
    this.#gone.clear();
    this.#latest = [];
    this.#version = 0;
    this.#derivedAt = undefined;
  }
}

function hasBegun({ version, isLost }: Cursor): boolean {
  return version > 0 && !isLost;
}

async function nextChange(store: Store, kinds: readonly Kind[], since: number, signal: AbortSignal): Promise<void> {
  const changes = store.watch({ kinds, since, signal });
  try {
    await changes.next();
  } catch (error) {
    // Too old: much has changed, which is all that is asked here.
    if ((error as { reason?: unknown }).reason !== "Expired") throw error;
  } finally {
    await changes.return();
  }
}

/** Waits for `news`, or less long when the watcher leaves. */
async function orAbort(news: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const leave = () => resolve();
  signal.addEventListener("abort", leave, { once: true });
  try {
    if (!signal.aborted) await Promise.race([news, promise]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

function onlyAbort(reason: unknown): void {
  if (reason instanceof Error && reason.name !== "AbortError") throw reason;
}
