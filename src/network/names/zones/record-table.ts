/** Records by name, each told by somebody who can take all of his back. Knows which names have others below them: they exist, empty. */
import type { RecordData } from "../wire/record.ts";

export interface NamedRecord {
  readonly name: string;
  readonly data: RecordData;
}

interface Place {
  readonly records: { readonly source: string; readonly data: RecordData }[];
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
      this.#place(name).records.push({ source, data });
      for (const above of ancestors(name)) this.#place(above).below++;
    }
  }

  remove(source: string): void {
    for (const { name, data } of this.#sources.get(source) ?? []) {
      const place = this.#places.get(name);
      const at = place?.records.findIndex((each) => each.data === data && each.source === source) ?? -1;
      if (at >= 0) place?.records.splice(at, 1);
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
    return place.records.length === 0 ? NOTHING : place.records.map(({ data }) => data);
  }

  sources(): readonly string[] {
    return [...this.#sources.keys()];
  }

  #place(name: string): Place {
    const found = this.#places.get(name);
    if (found) return found;
    const made: Place = { records: [], below: 0 };
    this.#places.set(name, made);
    return made;
  }

  #drop(name: string): void {
    const place = this.#places.get(name);
    if (place?.below === 0 && place.records.length === 0) this.#places.delete(name);
  }
}

function* ancestors(name: string): Generator<string> {
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) yield name.slice(dot + 1);
}
