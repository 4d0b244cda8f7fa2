import { ApiError } from "../model/errors.ts";
import type { StoredObject } from "../model/meta.ts";
import type { Change } from "./transaction.ts";

/** A sealed row is in base64, with some words around it. */
const SEALED = 0.74;
/** Of each of the two generations of texts; both together are what is kept at most. */
const GENERATION_CHARS = 4 * 1024 * 1024;

/**
 * The JSON of objects, made once per version for the journal and for all watchers that keep up. Texts that nobody has
 * asked for lately are dropped: they are as large again as the objects, and are made anew when somebody does.
 */
export class RowTexts {
  readonly #mostBytes: number;
  readonly #generationChars: number;
  #young = new Map<StoredObject, string>();
  #old = new Map<StoredObject, string>();
  #youngChars = 0;

  constructor(mostBytes: number | undefined, generationChars = GENERATION_CHARS) {
    this.#mostBytes = mostBytes ?? Number.POSITIVE_INFINITY;
    this.#generationChars = generationChars;
  }

  /** How many texts are kept at present. */
  get kept(): number {
    return this.#young.size + this.#old.size;
  }

  of(object: StoredObject): string {
    const young = this.#young.get(object);
    if (young !== undefined) return young;
    const text = this.#old.get(object) ?? JSON.stringify(object);
    this.#keep(object, text);
    return text;
  }

  /** The history keeps versions for those who look back; their text, which is as large again, is made anew for them. */
  forget(object: StoredObject): void {
    const young = this.#young.get(object);
    if (young !== undefined) this.#youngChars -= young.length;
    this.#young.delete(object);
    this.#old.delete(object);
  }

  /** Makes the text of what is to be written; about its bytes. Refuses an object that the journal would never take. */
  sizeOf(changes: readonly Change[]): number {
    let total = 0;
    for (const change of changes) if (change.type !== "removed") total += this.#bytesOf(change);
    return total;
  }

  #keep(object: StoredObject, text: string): void {
    this.#old.delete(object);
    if (this.#youngChars + text.length > this.#generationChars) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngChars = 0;
    }
    this.#young.set(object, text);
    this.#youngChars += text.length;
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
