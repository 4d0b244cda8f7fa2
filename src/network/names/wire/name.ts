/**
 * Names in messages. Inside this program a name is text in lower case without the dot at its end; a byte that no host name has is
 * written `\ddd`, so that a dot within a label is not taken for one between two.
 */
import { LONGEST_LABEL, LONGEST_NAME } from "./constants.ts";

const POINTER = 0xc0;
const HYPHEN = 45;
/** A name has at most 127 labels, and a pointer to be followed for each. */
const MOST_STEPS = 128;

/** What came cannot be read as a DNS message. */
export class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

export interface ReadName {
  readonly name: string;
  /** Where the message goes on behind it. */
  readonly end: number;
}

/** Follows pointers back only, as they are meant, so that it always ends. Throws MalformedMessage. */
export function readName(bytes: Uint8Array, start: number): ReadName {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  let limit = start;
  let size = 1;
  for (let step = 0; step < MOST_STEPS; step++) {
    const length = byteAt(bytes, at);
    if (length === 0) return { name: labels.join("."), end: end ?? at + 1 };
    if ((length & POINTER) === POINTER) {
      const target = ((length & 0x3f) << 8) | byteAt(bytes, at + 1);
      if (target >= limit) throw new MalformedMessage("a pointer that does not point back");
      end ??= at + 2;
      limit = target;
      at = target;
      continue;
    }
    if (length > LONGEST_LABEL) throw new MalformedMessage("a label of an unknown kind");
    size += length + 1;
    if (size > LONGEST_NAME) throw new MalformedMessage("a name that is too long");
    labels.push(readLabel(bytes, at + 1, length));
    at += length + 1;
  }
  throw new MalformedMessage("a name without an end");
}

/** Behind the name at `start`, without reading it. */
export function skipName(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let step = 0; step < MOST_STEPS; step++) {
    const length = byteAt(bytes, at);
    if (length === 0) return at + 1;
    if ((length & POINTER) === POINTER) return byteAt(bytes, at + 1) < 0 ? at : at + 2;
    if (length > LONGEST_LABEL) throw new MalformedMessage("a label of an unknown kind");
    at += length + 1;
  }
  throw new MalformedMessage("a name without an end");
}

function readLabel(bytes: Uint8Array, start: number, length: number): string {
  let text = "";
  for (let at = start; at < start + length; at++) {
    const byte = byteAt(bytes, at);
    if (byte >= 65 && byte <= 90) text += String.fromCharCode(byte + 32);
    else if (isPlain(byte)) text += String.fromCharCode(byte);
    else text += `\\${String(byte).padStart(3, "0")}`;
  }
  return text;
}

/** Printable, and neither the dot nor what marks an escape. */
function isPlain(byte: number): boolean {
  return byte >= HYPHEN ? byte < 0x7f && byte !== 46 && byte !== 92 : byte > 0x20;
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new MalformedMessage("it ends too early");
  return byte;
}

/** The bytes of a name, uncompressed; undefined for what no message can hold. */
export function nameBytes(name: string): Uint8Array | undefined {
  if (name === "") return Uint8Array.of(0);
  const parts = name.split(".").map(labelBytes);
  const size = parts.reduce((sum, part) => sum + part.length + 1, 1);
  if (size > LONGEST_NAME || parts.some(({ length }) => length === 0 || length > LONGEST_LABEL)) return undefined;
  return Uint8Array.from([...parts.flatMap((part) => [part.length, ...part]), 0]);
}

function labelBytes(label: string): readonly number[] {
  const words = label.match(/\\\d{3}|[^\\]/g) ?? [];
  return words.map((word) => (word.length === 4 ? Number(word.slice(1)) & 0xff : word.charCodeAt(0) & 0xff));
}
