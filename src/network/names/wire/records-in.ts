/**
 * Where the records of a message are. The library makes objects of all of them, with as much memory as the counts promise (2 MiB for
 * twelve bytes) and without regard to the length that a record says it has; here nothing is made, and nothing is believed.
 */
import { MalformedMessage } from "./library.ts";

export interface PlacedRecord {
  /** Of its name. */
  readonly at: number;
  /** Of its type, class, time to live and length. */
  readonly fixed: number;
  readonly type: number;
  readonly end: number;
}

const FIXED_BYTES = 10;

/** Throws MalformedMessage when there are fewer, or more than `most`. */
export function recordsIn(bytes: Buffer, start: number, count: number, most: number): readonly PlacedRecord[] {
  if (count > most) throw new MalformedMessage("so many records");
  const found: PlacedRecord[] = [];
  for (let at = start; found.length < count; ) {
    const fixed = behindName(bytes, at);
    const end = fixed + FIXED_BYTES + (fixed + FIXED_BYTES > bytes.length ? 0 : bytes.readUInt16BE(fixed + 8));
    if (end > bytes.length) throw new MalformedMessage("it ends within a record");
    found.push({ at, fixed, end, type: bytes.readUInt16BE(fixed) });
    at = end;
  }
  return found;
}

/** Without following pointers, which would cost a walk through the message for each. */
function behindName(bytes: Buffer, start: number): number {
  for (let at = start; ; ) {
    const length = bytes[at];
    if (length === undefined || (length > 63 && length < 0xc0)) throw new MalformedMessage("a name without an end");
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += length + 1;
  }
}
