import type { Clock } from "../seams/clock.ts";
import { slices } from "./slices.ts";

/** Up to here an answer is one piece. */
const ONE_PIECE = 256 * 1024;

/** `{field: rows}` as JSON, written in slices: a list of any length keeps nobody else waiting. */
export async function jsonList(field: string, rows: readonly unknown[], clock: Clock): Promise<Response> {
  const slice = slices(clock);
  const pieces: string[] = [];
  let piece = `{${JSON.stringify(field)}:[`;
  for (const [at, row] of rows.entries()) {
    piece += `${at === 0 ? "" : ","}${JSON.stringify(row)}`;
    if (piece.length > ONE_PIECE) {
      pieces.push(piece);
      piece = "";
    }
    await slice();
  }
  pieces.push(`${piece}]}`);
  const [first = "", ...others] = pieces;
  const body = others.length === 0 ? first : encoded(pieces);
  return new Response(body, { headers: { "Content-Type": "application/json" } });
}

function encoded(pieces: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const rest = pieces.values();
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = rest.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
}
