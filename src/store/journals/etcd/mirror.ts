/** Puts the batches of leaders together from what etcd tells of its keys. Pure but for what it remembers. */
import type { JournalEntry } from "../../journal.ts";
import { decodeHead, type Head } from "./head.ts";
import { type Keys, parseRowValue, textOf } from "./keys.ts";
import { decodePiece } from "./pieces.ts";
import type { KeyValue, WatchEvent } from "./rpc/messages.ts";

export interface MirroredBatch {
  readonly term: number;
  readonly revision: number;
  readonly entries: readonly JournalEntry[];
}

export class Mirror {
  readonly #keys: Keys;
  /** Pieces that are staged, by id, each batch's by key. */
  readonly #pieces = new Map<string, Map<string, Uint8Array>>();

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** A piece that was there when the rest was loaded. */
  sawPiece({ key, value }: KeyValue): void {
    const id = this.#idOf(key);
    const pieces = this.#pieces.get(id) ?? new Map<string, Uint8Array>();
    this.#pieces.set(id, pieces.set(key, value));
  }

  /** Everything of one revision of etcd. Gives the batch that it makes true, if it is one that does. */
  take(events: readonly WatchEvent[]): MirroredBatch | undefined {
    const rows: JournalEntry[] = [];
    let head: Head | undefined;
    for (const event of events) {
      const { key, value } = event.kv;
      if (key === this.#keys.head && event.type === "put") head = decodeHead(textOf(value));
      else if (key.startsWith(this.#keys.staged)) this.#stage(event);
      else if (event.type === "put") rows.push(...this.#rowOf(event.kv));
    }
    // Without a head they are a staged batch's, which was told as a whole when its head came.
    if (!head) return undefined;
    const entries = head.staged ? this.staged(head.staged.id) : [...rows, ...head.beside];
    const { term, revision } = head;
    return { term, revision, entries: entries.toSorted((a, b) => a.revision - b.revision) };
  }

  /** The entries of a staged batch that are not worked into the rows yet. */
  staged(id: string): readonly JournalEntry[] {
    const pieces = [...(this.#pieces.get(id) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return pieces.flatMap(([, value]) => decodePiece(value));
  }

  /** Pieces of that batch, first to last, by key. */
  piecesOf(id: string): readonly (readonly [key: string, entries: readonly JournalEntry[]])[] {
    const pieces = [...(this.#pieces.get(id) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return pieces.map(([key, value]) => [key, decodePiece(value)] as const);
  }

  /** Keys of the pieces of all other batches, which never came to be. */
  leftovers(id: string | undefined): readonly string[] {
    return [...this.#pieces].flatMap(([each, pieces]) => (each === id ? [] : [...pieces.keys()]));
  }

  #stage({ type, kv }: WatchEvent): void {
    if (type === "put") {
      this.sawPiece(kv);
      return;
    }
    const id = this.#idOf(kv.key);
    const pieces = this.#pieces.get(id);
    pieces?.delete(kv.key);
    if (pieces?.size === 0) this.#pieces.delete(id);
  }

  #rowOf({ key, value }: KeyValue): readonly JournalEntry[] {
    const place = this.#keys.parseRow(key);
    return place ? [{ ...place, ...parseRowValue(value) }] : [];
  }

  /** `TERM-REVISION`, between the prefix and the number. */
  #idOf(key: string): string {
    return key.slice(this.#keys.staged.length, key.lastIndexOf("/"));
  }
}
