import { SHELVES, shelfDigest } from "../model/network-shelves.ts";
import type { Audience } from "./entry-source.ts";
import type { EntryTable, Held } from "./entry-table.ts";
import { type Pack, Piece } from "./piece.ts";

/** How large frames are that tell everything. */
export interface FrameForm {
  /** Of entries' texts in one frame. */
  readonly mostChars: number;
  readonly isPacked: boolean;
}

/** Every frame costs both sides, and is acknowledged: where it is packed it may hold more. */
export const PLAIN: FrameForm = { mostChars: 64 * 1024, isPacked: false };
export const PACKED: FrameForm = { mostChars: 512 * 1024, isPacked: true };
/** Different sets of shelves that agents who came back were sent; mostly all have missed the same, and one that lies must not fill this process. */
const MOST_SETS = 4;

/** Some lie fuller than others. */
const FILLED = 0.75;

interface Rendition {
  /** Of its shelves' versions the sum: each counts up alone. */
  readonly version: number;
  readonly pieces: readonly Piece[];
}

/** The shelves as one kind of node sees them: digests and texts, made once and made anew only where something changed. */
export class ShelfView {
  readonly #table: EntryTable;
  readonly #audience: Audience;
  readonly #pack: Pack | undefined;
  readonly #digests = new Map<number, { readonly version: number; readonly digest: Uint8Array }>();
  #groups = new Map<string, Rendition>();
  #sets = new Map<string, Rendition>();

  constructor(table: EntryTable, audience: Audience, pack: Pack | undefined) {
    this.#table = table;
    this.#audience = audience;
    this.#pack = pack;
  }

  digest(shelf: number): Uint8Array {
    const version = this.#table.versionOf(shelf);
    const known = this.#digests.get(shelf);
    if (known?.version === version) return known.digest;
    const digest = shelfDigest(this.#on(shelf).map(([key, { text }]) => [key, text] as const));
    this.#digests.set(shelf, { version, digest });
    return digest;
  }

  /** Everything. */
  all(form: FrameForm): readonly Piece[] {
    const size = this.#groupSize(form);
    const firsts = Array.from({ length: SHELVES / size }, (_, at) => at * size);
    const shelvesFrom = (first: number) => Array.from({ length: size }, (_, at) => first + at);
    return firsts.flatMap((first) => this.#rendition(this.#groups, shelvesFrom(first), form));
  }

  /** Of some shelves. */
  some(shelves: readonly number[], form: FrameForm): readonly Piece[] {
    const pieces = this.#rendition(this.#sets, shelves, form);
    const [oldest] = this.#sets.keys();
    if (this.#sets.size > MOST_SETS && oldest !== undefined) this.#sets.delete(oldest);
    return pieces;
  }

  /** Text need not lie there any more; digests stay, and what is packed, a fifth of it, until its shelves change. */
  drop(): void {
    const isPacked = ({ pieces }: Rendition) => pieces.every(({ packed }) => packed !== undefined);
    this.#groups = new Map([...this.#groups].filter(([, rendition]) => isPacked(rendition)));
    this.#sets = new Map();
  }

  /** Shelves that fill a frame together. A power of two, so that it seldom changes, and with it what is in which frame. */
  #groupSize({ mostChars }: FrameForm): number {
    let size = 1;
    while (size < SHELVES && (this.#table.chars / SHELVES) * size * 2 <= mostChars * FILLED) size *= 2;
    return size;
  }

  #rendition(known: Map<string, Rendition>, shelves: readonly number[], form: FrameForm): readonly Piece[] {
    const name = `${form.mostChars}: ${shelves.join(" ")}`;
    const version = shelves.reduce((sum, shelf) => sum + this.#table.versionOf(shelf), 0);
    const before = known.get(name);
    if (before?.version === version) return before.pieces;
    const texts = shelves.flatMap((shelf) => this.#on(shelf).map(([, { text }]) => text));
    const pieces = piecesOf(texts, form, form.isPacked ? this.#pack : undefined);
    known.set(name, { version, pieces });
    return pieces;
  }

  #on(shelf: number): readonly (readonly [string, Held])[] {
    const all = this.#table.shelf(shelf);
    return this.#audience === "ways-in" ? all : all.filter(([, { audience }]) => audience === "all");
  }
}

function piecesOf(texts: readonly string[], { mostChars }: FrameForm, pack: Pack | undefined): readonly Piece[] {
  const pieces: Piece[] = [];
  let [part, chars]: [string[], number] = [[], 0];
  const end = () => {
    if (part.length > 0) pieces.push(new Piece(`[${part.join(",")}]`, pack, pack === undefined));
    [part, chars] = [[], 0];
  };
  for (const text of texts) {
    if (chars + text.length > mostChars) end();
    part.push(text);
    chars += text.length + 1;
  }
  end();
  return pieces;
}
