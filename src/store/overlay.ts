import type { Kind, StoredObject } from "../model/meta.ts";
import { Table } from "./table.ts";

/** Rows of one kind laid over others: what they become, by key and by index, or that they go. */
export class Overlay {
  readonly #rows = new Map<string, StoredObject | undefined>();
  readonly #revisions = new Map<string, number>();
  readonly #present: Table;

  constructor(kind: Kind) {
    this.#present = new Table(kind);
  }

  get size(): number {
    return this.#rows.size;
  }

  get rows(): ReadonlyMap<string, StoredObject | undefined> {
    return this.#rows;
  }

  /** Whether it says something about the key, be it that the object goes. */
  has(key: string): boolean {
    return this.#rows.has(key);
  }

  get(key: string): StoredObject | undefined {
    return this.#rows.get(key);
  }

  /** Keys of the objects that there are by it, all or under an index value. */
  keys(by?: { readonly index: string; readonly value: string }): Iterable<string> {
    return by ? this.#present.keysBy(by.index, by.value) : this.#present.keys();
  }

  /** Of the last `set`: one removal looks like another. */
  revisionOf(key: string): number | undefined {
    return this.#revisions.get(key);
  }

  set(key: string, object: StoredObject | undefined, revision: number): void {
    this.#rows.set(key, object);
    this.#revisions.set(key, revision);
    this.#present.apply(key, object);
  }

  /** Says nothing about the key any more. */
  delete(key: string): void {
    this.#rows.delete(key);
    this.#revisions.delete(key);
    this.#present.apply(key, undefined);
  }
}
