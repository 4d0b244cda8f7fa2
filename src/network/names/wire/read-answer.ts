/**
 * Answers of other servers: whether they belong to what was asked, how long they hold, and what they say. They are passed on in their own
 * bytes, with only their number and times to live changed in place: records of types that the library does not know would be
 * damaged by reading and writing them, and what it writes is not compressed.
 */
import { CLASS, FLAG, HEADER_BYTES, RCODE, TYPE } from "./constants.ts";
import { isPlain, nameBytes, readName } from "./name.ts";
import type { ResourceRecord } from "./record.ts";
import { type PlacedRecord, recordsIn } from "./records-in.ts";

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
  const records = recordsIn(bytes, start, total, MOST_RECORDS).filter(({ type }) => type !== TYPE.OPT);
  const isNegative = counts[0] === 0;
  const holding = records.flatMap((record) => (isNegative ? negativeTime(bytes, record) : ttlOf(bytes, record)));
  return {
    offsets: records.map(({ fixed }) => fixed + 4),
    seconds: holding.length === 0 ? undefined : holding.reduce((one, other) => Math.min(one, other)),
  };
}

function ttlOf(bytes: Buffer, { fixed }: PlacedRecord): number {
  return bytes.readUInt32BE(fixed + 4);
}

/** The last number of a SOA record. */
function negativeTime(bytes: Buffer, record: PlacedRecord): readonly number[] {
  if (record.type !== TYPE.SOA || record.end - 4 < record.fixed + 10) return [];
  return [Math.min(ttlOf(bytes, record), bytes.readUInt32BE(record.end - 4))];
}

/** Its answers, with names written out, to be put behind answers of our own. Throws MalformedMessage. */
export function recordsOf({ bytes }: Pick<UpstreamAnswer, "bytes">): readonly ResourceRecord[] {
  const start = readName(bytes, HEADER_BYTES).end + 4;
  return recordsIn(bytes, start, bytes.readUInt16BE(6), MOST_RECORDS).flatMap((record): readonly ResourceRecord[] => {
    const { at, fixed, end, type } = record;
    // Other types may hold compressed names, which would point elsewhere in another message.
    const isTaken = type === TYPE.CNAME || type === TYPE.A || type === TYPE.AAAA || type === TYPE.TXT;
    if (!isTaken || bytes.readUInt16BE(fixed + 2) !== CLASS.IN) return [];
    const { name } = readName(bytes, at);
    const data = type === TYPE.CNAME ? nameBytes(readName(bytes, fixed + 10).name) : bytes.subarray(fixed + 10, end);
    if (!data || !isPlain(name)) return [];
    return [{ name, ttlSeconds: ttlOf(bytes, record), data: { type: "raw", number: type, bytes: data } }];
  });
}

function isSameQuestion(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  return other.every((byte, at) => byte === one[at] || folded(byte) === folded(one[at] ?? 0));
}

function folded(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}
