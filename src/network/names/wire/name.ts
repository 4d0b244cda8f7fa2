/**
 * Names in messages, which dns-packet reads and writes. Inside this program a name is text in lower case without the dot at its end. The
 * library joins labels with dots and takes them for UTF-8, so that different names may read the same; one that is not plain is
 * kept as its bytes instead (they end with a zero, as no text does), or what is remembered of one would be answered to the other.
 */
import { decoded, MalformedMessage, nameCodec } from "./library.ts";

const POINTER = 0xc0;
/** A name has at most 127 labels, and a pointer to be followed for each. */
const MOST_STEPS = 128;
const PLAIN = /^[!-~]*$/;

export interface ReadName {
  readonly name: string;
  /** Where the message goes on behind it. */
  readonly end: number;
}

/** Throws MalformedMessage. */
export function readName(bytes: Buffer, start: number): ReadName {
  const labels = countLabels(bytes, start);
  const text = decoded(nameCodec, bytes, start);
  const end = start + nameCodec.decode.bytes;
  if (text === ".") return { name: "", end };
  if (PLAIN.test(text) && text.split(".").length === labels) return { name: text.toLowerCase(), end };
  if (bytes[end - 1] !== 0) throw new MalformedMessage("a name without a text, and with a pointer");
  // Lengths are below the letters' numbers.
  const name = bytes.toString("latin1", start, end).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return { name, end };
}

export function isPlain(name: string): boolean {
  return !name.endsWith("\0");
}

/** The library follows pointers back through a whole message, for each name anew. What else is wrong with a name it says itself. */
function countLabels(bytes: Buffer, start: number): number {
  let at = start;
  let labels = 0;
  for (let step = 0; step < MOST_STEPS; step++) {
    const length = bytes[at] ?? 0;
    if (length === 0) return labels;
    if (length < POINTER) labels++;
    at = length < POINTER ? at + length + 1 : ((length & 0x3f) << 8) | (bytes[at + 1] ?? 0);
  }
  throw new MalformedMessage("a name without an end");
}

/** The bytes of a name, uncompressed; undefined for what no message can hold: the library writes labels of any length, and empty ones. */
export function nameBytes(name: string): Buffer | undefined {
  if (!isPlain(name)) return Buffer.from(name, "latin1");
  const bytes = nameCodec.encode(name === "" ? "." : name);
  try {
    return nameCodec.decode(bytes, 0) === (name || ".") ? bytes : undefined;
  } catch {
    return undefined;
  }
}
