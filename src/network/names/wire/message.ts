/** Messages that are small and rare: questions to others, and refusals. */
import { type Answer, DNSSEC_OK, encode, type OptAnswer, type Packet } from "dns-packet";
import { FLAG, HEADER_BYTES, MOST_UDP_BYTES } from "./constants.ts";
import type { BadQuery } from "./read-query.ts";

interface QuestionOptions {
  readonly question: Uint8Array;
  readonly isCheckingDisabled: boolean;
  /** Absent: without EDNS. */
  readonly edns?: { readonly isDnssec: boolean };
}

export function questionBytes(id: number, { question, isCheckingDisabled, edns }: QuestionOptions): Buffer {
  const flags = FLAG.recursionDesired | (isCheckingDisabled ? FLAG.checkingDisabled : 0);
  return withQuestion({ type: "query", id, flags, additionals: edns ? [optRecord(0, edns.isDnssec)] : [] }, question);
}

/** The answer to what cannot be answered. */
export function writeRefusal({ id, rcode, flags, question }: BadQuery): Buffer {
  const kept = flags & (FLAG.recursionDesired | FLAG.opcode);
  const packet: Packet = { type: "response", id, flags: FLAG.recursionAvailable | kept | (rcode & 0xf) };
  const extended = rcode >> 4;
  return withQuestion({ ...packet, additionals: extended > 0 ? [optRecord(extended)] : [] }, question);
}

/** What we take ourselves, without options. */
export function optRecord(extendedRcode = 0, isDnssec = false): Answer {
  const opt: Partial<OptAnswer> = {
    type: "OPT",
    name: ".",
    udpPayloadSize: MOST_UDP_BYTES,
    extendedRcode,
    options: [],
  };
  return { ...opt, ednsVersion: 0, flags: isDnssec ? DNSSEC_OK : 0 } as OptAnswer;
}

/** A question goes on byte for byte: the library reads names as text, and not every name has one. */
function withQuestion(packet: Packet, question: Uint8Array | undefined): Buffer {
  const bytes = encode(packet);
  bytes.writeUInt16BE(question ? 1 : 0, 4);
  return Buffer.concat([bytes.subarray(0, HEADER_BYTES), question ?? Buffer.alloc(0), bytes.subarray(HEADER_BYTES)]);
}
