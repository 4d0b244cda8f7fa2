import { ApiError } from "../model/errors.ts";
import type { Kind } from "../model/meta.ts";
import type { Change } from "./transaction.ts";

export interface WatchOptions {
  readonly kinds?: readonly Kind[];
  readonly since?: number;
  readonly signal?: AbortSignal;
}

/** In the place of a kind: who waits for changes of any. */
const ANY = "";

/** Is told the last revision before the changes that wake it, or nothing when it is no change that does. */
type Wake = (before?: number) => void;

/** Of the limit, how much is kept at most before it is cut back. */
const SLACK = 1.25;

/**
 * The last changes, kept once for all watchers. A watcher is a cursor into this history, so one that reads slowly
 * costs nothing, and one that falls off the end is told to list again.
 */
export class History {
  readonly #limit: number;
  #changes: Change[] = [];
  /** By kind: a change costs nothing for who waits for others. */
  readonly #waiting = new Map<string, Set<Wake>>();
  /** Changes up to and including this revision are no longer here. */
  #forgotten: number;
  #ended: Error | undefined;
  #refused: Error | undefined;
  #watches = 0;

  constructor(limit: number, revision: number) {
    this.#limit = limit;
    this.#forgotten = revision;
  }

  append(changes: readonly Change[]): void {
    for (const change of changes) this.#changes.push(change);
    // Cut rarely and by a fifth, so that forgetting costs O(1) per change.
    if (this.#changes.length > this.#limit * SLACK) {
      const cut = this.#changes.length - this.#limit;
      this.#forgotten = this.#changes[cut - 1]?.revision ?? this.#forgotten;
      this.#changes = this.#changes.slice(cut);
    }
    const before = changes[0] && changes[0].revision - 1;
    for (const kind of new Set([ANY, ...changes.map((change) => change.kind.name)])) this.#wake(kind, before);
  }

  /** Watches end with `reason`; those that begin from now on with `later`, or whoever begins again at once would never stop. */
  end(reason: Error, later = reason): void {
    this.#ended = reason;
    this.#refused = later;
    for (const kind of this.#waiting.keys()) this.#wake(kind);
  }

  /** The changes after `revision`, oldest first. Throws Expired when some of them are forgotten. */
  since(revision: number): readonly Change[] {
    if (revision < this.#forgotten) {
      throw new ApiError("Expired", `too old resource version: ${revision} (${this.#forgotten})`);
    }
    const at = this.#indexAfter(revision);
    return at === this.#changes.length ? [] : this.#changes.slice(at);
  }

  /** From `since` on; without it from where `now` says when the first is asked for. Ends when `signal` aborts; throws Expired. */
  async *watch(now: () => number, options: WatchOptions): AsyncGenerator<readonly Change[], void, undefined> {
    this.#watches++;
    try {
      yield* this.#follow(now, options);
    } finally {
      this.#watches--;
    }
  }

  get watches(): number {
    return this.#watches;
  }

  async *#follow(
    now: () => number,
    { kinds, since, signal }: WatchOptions,
  ): AsyncGenerator<readonly Change[], void, undefined> {
    if (this.#refused) throw this.#refused;
    const names = kinds && new Set(kinds.map(({ name }) => name));
    let cursor = since ?? now();
    while (!signal?.aborted) {
      const all = this.since(cursor);
      const last = all.at(-1);
      if (!last) {
        // What came meanwhile was of other kinds: nothing is missed when it is forgotten, and nobody looks through it.
        cursor = Math.max(cursor, (await this.next(signal, names)) ?? cursor);
        continue;
      }
      cursor = last.revision;
      const mine = names ? all.filter(({ kind }) => names.has(kind.name)) : all;
      if (mine.length > 0) yield mine;
    }
  }

  /**
   * Resolves on the next append, of one of these kinds or of any, with the last revision before it; or without one, when
   * `signal` aborts.
   */
  next(signal?: AbortSignal, kinds: Iterable<string> = [ANY]): Promise<number | undefined> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const wake = (before?: number) => {
        for (const kind of kinds) this.#waiting.get(kind)?.delete(wake);
        signal?.removeEventListener("abort", aborted);
        if (this.#ended) reject(this.#ended);
        else resolve(before);
      };
      const aborted = () => wake();
      if (signal?.aborted) return resolve(undefined);
      for (const kind of kinds) this.#waitingFor(kind).add(wake);
      signal?.addEventListener("abort", aborted, { once: true });
    });
  }

  #waitingFor(kind: string): Set<Wake> {
    const waiting = this.#waiting.get(kind) ?? new Set();
    this.#waiting.set(kind, waiting);
    return waiting;
  }

  #wake(kind: string, before?: number): void {
    for (const wake of [...(this.#waiting.get(kind) ?? [])]) wake(before);
  }

  /** Binary search: revisions grow. */
  #indexAfter(revision: number): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
