import type { Duplex } from "node:stream";

const LAST_WORDS_MS = 1_000;

/** Says the last words and lets go, also of a side that neither reads them nor closes: it would keep its descriptor for good. */
export function endStream(stream: Duplex, words: string): void {
  const enough = setTimeout(() => stream.destroy(), LAST_WORDS_MS).unref();
  stream.once("close", () => clearTimeout(enough));
  if (!stream.writable) return;
  stream.end(words);
  // That the other side has closed is learned by reading alone.
  stream.resume();
}
