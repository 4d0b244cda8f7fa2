/** What a client asks. Reads no more than is needed to answer: the header, one question, and EDNS. */
import type { OptAnswer } from "dns-packet";
import { BAD_VERSION, FLAG, HEADER_BYTES, RCODE, TYPE } from "./constants.ts";
import { decoded, MalformedMessage, recordCodec } from "./library.ts";
import { readName } from "./name.ts";
import { recordsIn } from "./records-in.ts";

export interface Query {
  readonly id: number;
  readonly isRecursionDesired: boolean;
  readonly isCheckingDisabled: boolean;
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** The question as it came, with its upper and lower case: answers begin with it. */
  readonly question: Uint8Array;
  readonly edns?: { readonly udpBytes: number; readonly isDnssec: boolean };
}

/** What can only be answered with an error. */
export interface BadQuery {
  readonly id: number;
  readonly rcode: number;
  readonly flags: number;
  readonly question?: Uint8Array;
}

export type Asked =
  | { readonly kind: "query"; readonly query: Query }
  | { readonly kind: "bad"; readonly bad: BadQuery }
  /** An answer to an answer would never end. */
  | { readonly kind: "ignored" };

const LONGEST_QUERY = 4096;
const MOST_OTHER_RECORDS = 16;

export function readQuery(given: Uint8Array): Asked {
  if (given.length < HEADER_BYTES) return { kind: "ignored" };
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  const [id, flags] = [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
  if (flags & FLAG.response) return { kind: "ignored" };
  const bad = (rcode: number): Asked => ({ kind: "bad", bad: { id, rcode, flags } });
  if (((flags >> 11) & 0xf) !== 0) return bad(RCODE.notImplemented);
  if (bytes.readUInt16BE(4) !== 1 || bytes.length > LONGEST_QUERY) return bad(RCODE.formatError);
  try {
    return readOne(bytes, id, flags);
  } catch (error) {
    if (error instanceof MalformedMessage) return bad(RCODE.formatError);
    throw error;
  }
}

function readOne(bytes: Buffer, id: number, flags: number): Asked {
  // Without the header, so that there is nothing before it that a pointer could point to.
  const { name, end } = readName(bytes.subarray(HEADER_BYTES), 0);
  const question = bytes.subarray(HEADER_BYTES, HEADER_BYTES + end + 4);
  if (question.length < end + 4) throw new MalformedMessage("it ends within the question");
  const opt = readOpt(bytes, HEADER_BYTES + question.length);
  if (opt?.ednsVersion) return { kind: "bad", bad: { id, rcode: BAD_VERSION, flags, question } };
  const query: Query = {
    ...{ id, name, question, type: question.readUInt16BE(end), class: question.readUInt16BE(end + 2) },
    isRecursionDesired: (flags & FLAG.recursionDesired) !== 0,
    isCheckingDisabled: (flags & FLAG.checkingDisabled) !== 0,
    ...(opt ? { edns: { udpBytes: opt.udpPayloadSize, isDnssec: opt.flag_do } } : {}),
  };
  return { kind: "query", query };
}

/** The OPT record among the others (RFC 6891), which is the root's; two of them are an error. Others may be dear to read, and are not. */
function readOpt(bytes: Buffer, start: number): OptAnswer | undefined {
  const count = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  const found = recordsIn(bytes, start, count, MOST_OTHER_RECORDS).filter(({ type }) => type === TYPE.OPT);
  const [first] = found;
  if (!first) return undefined;
  if (found.length > 1 || first.fixed !== first.at + 1) throw new MalformedMessage("more than one OPT record");
  const opt = decoded(recordCodec, bytes.subarray(0, first.end), first.at);
  if (first.at + recordCodec.decode.bytes !== first.end) throw new MalformedMessage("an option without its end");
  return opt as OptAnswer;
}
