import { ApiError } from "../model/errors.ts";
import type { StoredObject } from "../model/meta.ts";
import type { Change } from "./transaction.ts";

/** A sealed row is in base64, with some words around it. */
const SEALED = 0.74;

/** The JSON of objects, made once per version for the journal and for all watchers that keep up. */
export class RowTexts {
  readonly #texts = new WeakMap<StoredObject, string>();
  readonly #mostBytes: number;

  constructor(mostBytes: number | undefined) {
    this.#mostBytes = mostBytes ?? Number.POSITIVE_INFINITY;
  }

  of(object: StoredObject): string {
    const known = this.#texts.get(object);
    if (known !== undefined) return known;
    const text = JSON.stringify(object);
    this.#texts.set(object, text);
    return text;
  }

  /** The history keeps versions for those who look back; their text, which is as large again, is made anew for them. */
  forget(object: StoredObject): void {
    this.#texts.delete(object);
  }

  /** Makes the text of what is to be written; about its bytes. Refuses an object that the journal would never take. */
  sizeOf(changes: readonly Change[]): number {
    let total = 0;
    for (const change of changes) if (change.type !== "removed") total += this.#bytesOf(change);
    return total;
  }

  #bytesOf({ kind, key, object }: Change): number {
    const text = this.of(object);
    // Counted only where it could matter: UTF-16 units become at most three bytes each.
    const most = kind.isSealed ? Math.floor(this.#mostBytes * SEALED) : this.#mostBytes;
    const bytes = text.length * 3 > most ? Buffer.byteLength(text) : text.length;
    if (bytes <= most) return bytes;
    const what = `${kind.name} ${key} would have ${bytes} bytes, and the store takes at most ${most} for one object`;
    throw new ApiError("TooLarge", `${what}; nothing was changed`);
  }
}
