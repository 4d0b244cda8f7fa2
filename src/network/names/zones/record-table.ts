/** Records by name, each told by somebody who can take all of his back. Knows which names have others below them: they exist, empty. */
import type { RecordData } from "../wire/record.ts";

export interface NamedRecord {
  readonly name: string;
  readonly data: RecordData;
}

interface Place {
  /** By who told them, so that one of many copies comes or goes at no cost to the others. */
  readonly records: Map<string, RecordData[]>;
  /** All of them, once somebody has asked. */
  list: readonly RecordData[] | undefined;
  /** Of names below this one. */
  below: number;
}

const NOTHING: readonly RecordData[] = [];

export class RecordTable {
  readonly #places = new Map<string, Place>();
  readonly #sources = new Map<string, readonly NamedRecord[]>();

  get size(): number {
    return this.#places.size;
  }

  /** In place of all that `source` told before. */
  put(source: string, records: readonly NamedRecord[]): void {
    this.remove(source);
    if (records.length === 0) return;
    this.#sources.set(source, records);
    for (const { name, data } of records) {
      const place = this.#place(name);
      const own = place.records.get(source);
      if (own) own.push(data);
      else place.records.set(source, [data]);
      place.list = undefined;
      for (const above of ancestors(name)) this.#place(above).below++;
    }
  }

  remove(source: string): void {
    for (const { name } of this.#sources.get(source) ?? []) {
      const place = this.#places.get(name);
      if (place?.records.delete(source)) place.list = undefined;
      this.#drop(name);
      for (const above of ancestors(name)) {
        const its = this.#places.get(above);
        if (its) its.below--;
        this.#drop(above);
      }
    }
    this.#sources.delete(source);
  }

  /** Undefined: there is no such name, and none below it. */
  get(name: string): readonly RecordData[] | undefined {
    const place = this.#places.get(name);
    if (!place) return undefined;
    if (place.records.size === 0) return NOTHING;
    place.list ??= [...place.records.values()].flat();
    return place.list;
  }

  sources(): readonly string[] {
    return [...this.#sources.keys()];
  }

  #place(name: string): Place {
    const found = this.#places.get(name);
    if (found) return found;
    const made: Place = { records: new Map(), list: undefined, below: 0 };
    this.#places.set(name, made);
    return made;
  }

  #drop(name: string): void {
    const place = this.#places.get(name);
    if (place?.below === 0 && place.records.size === 0) this.#places.delete(name);
  }
}

function* ancestors(name: string): Generator<string> {
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) yield name.slice(dot + 1);
}
