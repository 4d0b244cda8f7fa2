/** What a client asks. Reads no more than is needed to answer: the header, one question, and EDNS. */
import { BAD_VERSION, FLAG, HEADER_BYTES, RCODE, TYPE } from "./constants.ts";
import { MalformedMessage, readName, skipName } from "./name.ts";

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

const MOST_OTHER_RECORDS = 16;

export function readQuery(bytes: Uint8Array): Asked {
  if (bytes.length < HEADER_BYTES) return { kind: "ignored" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [id, flags] = [view.getUint16(0), view.getUint16(2)];
  if (flags & FLAG.response) return { kind: "ignored" };
  const bad = (rcode: number): Asked => ({ kind: "bad", bad: { id, rcode, flags } });
  if (((flags >> 11) & 0xf) !== 0) return bad(RCODE.notImplemented);
  if (view.getUint16(4) !== 1) return bad(RCODE.formatError);
  try {
    return readOne(bytes, view, id, flags);
  } catch (error) {
    if (error instanceof MalformedMessage) return bad(RCODE.formatError);
    throw error;
  }
}

function readOne(bytes: Uint8Array, view: DataView, id: number, flags: number): Asked {
  // There is no name before it that a pointer could point to: readName refuses one.
  const { name, end } = readName(bytes, HEADER_BYTES);
  if (end + 4 > bytes.length) throw new MalformedMessage("it ends within the question");
  const question = bytes.subarray(HEADER_BYTES, end + 4);
  const edns = readEdns(bytes, view, end + 4);
  if (edns?.version) return { kind: "bad", bad: { id, rcode: BAD_VERSION, flags, question } };
  const query: Query = {
    ...{ id, name, question, type: view.getUint16(end), class: view.getUint16(end + 2) },
    isRecursionDesired: (flags & FLAG.recursionDesired) !== 0,
    isCheckingDisabled: (flags & FLAG.checkingDisabled) !== 0,
    ...(edns ? { edns: { udpBytes: edns.udpBytes, isDnssec: edns.isDnssec } } : {}),
  };
  return { kind: "query", query };
}

/** The OPT record among the others (RFC 6891); two of them are an error. */
function readEdns(bytes: Uint8Array, view: DataView, start: number) {
  const count = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  if (count > MOST_OTHER_RECORDS) throw new MalformedMessage("a question with so many records");
  let edns: { udpBytes: number; version: number; isDnssec: boolean } | undefined;
  let at = start;
  for (let n = 0; n < count; n++) {
    const fixed = skipName(bytes, at);
    if (fixed + 10 > bytes.length) throw new MalformedMessage("it ends within a record");
    if (view.getUint16(fixed) === TYPE.OPT) {
      if (edns) throw new MalformedMessage("two OPT records");
      const more = view.getUint32(fixed + 4);
      edns = {
        udpBytes: view.getUint16(fixed + 2),
        version: (more >> 16) & 0xff,
        isDnssec: (more & 0x8000) !== 0,
      };
    }
    at = fixed + 10 + view.getUint16(fixed + 8);
    if (at > bytes.length) throw new MalformedMessage("it ends within a record");
  }
  return edns;
}
