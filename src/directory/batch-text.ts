import type { ChangedId, EntryId } from "./entry-table.ts";
import { type Pack, Piece } from "./piece.ts";
import { PLAIN } from "./shelf-view.ts";

/** Entries and what is gone, in frames' ends as agent/frames/to-agent.ts has them; never none. */
export function batchPieces(
  changed: ReadonlyMap<string, EntryId | ChangedId>,
  textOf: (key: string) => string | undefined,
  pack: Pack | undefined,
): readonly Piece[] {
  const pieces: Piece[] = [];
  let [texts, removed, chars]: [string[], EntryId[], number] = [[], [], 0];
  const end = () => {
    pieces.push(new Piece(bodyOf(texts, removed), pack));
    [texts, removed, chars] = [[], [], 0];
  };
  for (const [key, { kind, id }] of changed) {
    const text = textOf(key);
    const length = text?.length ?? key.length;
    if (chars > 0 && chars + length > PLAIN.mostChars) end();
    if (text === undefined) removed.push({ kind, id });
    else texts.push(text);
    chars += length;
  }
  if (chars > 0 || pieces.length === 0) end();
  return pieces;
}

function bodyOf(texts: readonly string[], removed: readonly EntryId[]): string {
  return removed.length === 0 ? `[${texts.join(",")}]` : `[${texts.join(",")}],${JSON.stringify(removed)}`;
}
