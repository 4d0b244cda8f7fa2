/** Text, or the bytes of text that others send as well. */
type Pieces = AsyncGenerator<string | Uint8Array> | Generator<string | Uint8Array>;

/** An answer written piece by piece, as fast as the client reads: the next piece is made when the last one is on its way. */
export function textStream(pieces: Pieces): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
      },
      async cancel() {
        await pieces.return(undefined);
      },
    },
    // Nothing is made before somebody reads, and nothing beyond the piece that is being read.
    { highWaterMark: 0 },
  );
}

/** Pieces are gathered up to about this many characters, so that small objects do not become small writes. */
export const PIECE_CHARACTERS = 64 * 1024;
