/** Answers of other servers: whether they belong to what was asked, how long they hold, and what they say. */
import { CLASS, FLAG, HEADER_BYTES, RCODE, TYPE } from "./constants.ts";
import { MalformedMessage, nameBytes, readName, skipName } from "./name.ts";
import type { ResourceRecord } from "./record.ts";

export interface UpstreamAnswer {
  readonly bytes: Buffer;
  readonly rcode: number;
  readonly isTruncated: boolean;
  /** How long it may be kept; undefined: not at all. */
  readonly ttlSeconds?: number;
  /** Where in `bytes` times to live stand, so that they can count down. */
  readonly ttlOffsets: readonly number[];
}

const MOST_RECORDS = 4096;

/** Throws MalformedMessage. `question` is what was asked, without regard to upper and lower case. */
export function readUpstreamAnswer(bytes: Buffer, id: number, question: Uint8Array): UpstreamAnswer | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) !== id) return undefined;
  const flags = bytes.readUInt16BE(2);
  if (!(flags & FLAG.response) || bytes.readUInt16BE(4) !== 1) return undefined;
  const asked = HEADER_BYTES + question.length;
  if (!isSameQuestion(bytes.subarray(HEADER_BYTES, asked), question)) return undefined;
  const rcode = flags & 0xf;
  const { offsets, seconds } = times(bytes, asked);
  const isKept = !(flags & FLAG.truncated) && (rcode === RCODE.ok || rcode === RCODE.noSuchName);
  return {
    ...{ bytes, rcode, ttlOffsets: offsets, isTruncated: (flags & FLAG.truncated) !== 0 },
    ...(isKept && seconds !== undefined ? { ttlSeconds: seconds } : {}),
  };
}

/** The shortest of all; of negative answers what the zone says of them (RFC 2308). */
function times(bytes: Buffer, start: number) {
  const counts = [bytes.readUInt16BE(6), bytes.readUInt16BE(8), bytes.readUInt16BE(10)] as const;
  const total = counts[0] + counts[1] + counts[2];
  if (total > MOST_RECORDS) throw new MalformedMessage("so many records");
  const offsets: number[] = [];
  let seconds: number | undefined;
  let at = start;
  for (let n = 0; n < total; n++) {
    const { fixed, type, end } = recordAt(bytes, at);
    if (type !== TYPE.OPT) {
      offsets.push(fixed + 4);
      const isNegativeTime = counts[0] === 0 && type === TYPE.SOA && end - 4 >= fixed + 10;
      const ttl = Math.min(bytes.readUInt32BE(fixed + 4), isNegativeTime ? bytes.readUInt32BE(end - 4) : 2 ** 31 - 1);
      if (counts[0] > 0 || isNegativeTime) seconds = Math.min(seconds ?? ttl, ttl);
    }
    at = end;
  }
  return { offsets, seconds };
}

function recordAt(bytes: Buffer, at: number) {
  const fixed = skipName(bytes, at);
  if (fixed + 10 > bytes.length) throw new MalformedMessage("it ends within a record");
  const end = fixed + 10 + bytes.readUInt16BE(fixed + 8);
  if (end > bytes.length) throw new MalformedMessage("it ends within a record");
  return { fixed, end, type: bytes.readUInt16BE(fixed) };
}

/** Its answers, with names written out, to be put behind answers of our own. Throws MalformedMessage. */
export function recordsOf({ bytes }: Pick<UpstreamAnswer, "bytes">): readonly ResourceRecord[] {
  const count = bytes.readUInt16BE(6);
  const found: ResourceRecord[] = [];
  let at = skipName(bytes, HEADER_BYTES) + 4;
  for (let n = 0; n < count; n++) {
    const { fixed, end, type } = recordAt(bytes, at);
    const { name } = readName(bytes, at);
    at = end;
    if (bytes.readUInt16BE(fixed + 2) !== CLASS.IN) continue;
    const isName = type === TYPE.CNAME;
    const data = isName ? nameBytes(readName(bytes, fixed + 10).name) : bytes.subarray(fixed + 10, end);
    // Other types may hold compressed names, which would point elsewhere in another message.
    if (data && (isName || type === TYPE.A || type === TYPE.AAAA || type === TYPE.TXT))
      found.push({ name, ttlSeconds: bytes.readUInt32BE(fixed + 4), data: { type: "raw", number: type, bytes: data } });
  }
  return found;
}

function isSameQuestion(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  return other.every((byte, at) => byte === one[at] || folded(byte) === folded(one[at] ?? 0));
}

function folded(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}
