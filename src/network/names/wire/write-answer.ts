/** Answers as bytes: dns-packet writes the records; how much fits, and names that are there already, are looked after here. */
import { type Answer, encode } from "dns-packet";
import { formatAddress } from "../../../lib/subnet.ts";
import { FLAG, HEADER_BYTES, LEAST_UDP_BYTES, MOST_TCP_BYTES, MOST_UDP_BYTES } from "./constants.ts";
import { nameCodec, recordCodec } from "./library.ts";
import { optRecord } from "./message.ts";
import { isPlain, nameBytes } from "./name.ts";
import type { Query } from "./read-query.ts";
import type { ResourceRecord } from "./record.ts";

export interface AnswerParts {
  readonly rcode: number;
  readonly isAuthoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
}

const OPT = optRecord();
const OPT_BYTES = 11;
const POINTER = 0xc000;
const LARGEST_POINTER = 0x3fff;
const SOA_TIMES = { refresh: 7200, retry: 1800, expire: 86_400 } as const;

/** The most that this client takes at once. */
export function mostBytes(query: Query, transport: "udp" | "tcp"): number {
  if (transport === "tcp") return MOST_TCP_BYTES;
  return Math.max(LEAST_UDP_BYTES, Math.min(query.edns?.udpBytes ?? 0, MOST_UDP_BYTES));
}

/**
 * Writes answers into one piece of memory again and again; what it gives is to be copied or sent before the next one is made. What does
 * not fit is left out and marked, so that the client asks again by TCP.
 *
 * The library does not compress names. Without it a datagram of 512 bytes would hold 10 addresses of a Service instead of 29, and not
 * every resolver asks again by TCP; so an owner that stands in the message already, as in nearly all answers, is pointed to.
 */
export class AnswerWriter {
  /** Room for one record more than there may be, whatever its length: whether it fits is seen when it is written. */
  readonly #bytes = Buffer.allocUnsafeSlow(2 * MOST_TCP_BYTES + 1024);
  readonly #offsets = new Map<string, number>();
  #at = 0;
  #isCut = false;

  write(query: Query, parts: AnswerParts, limit: number): Buffer {
    const end = limit - (query.edns ? OPT_BYTES : 0);
    this.#begin(query);
    const answers = this.#section(parts.answers, end);
    const isCut = this.#isCut;
    const authority = this.#section(parts.authority, end);
    const additional = this.#section(parts.additional, end);
    if (query.edns) this.#at += this.#put(OPT, this.#at);
    encode({ type: "response", id: query.id, flags: flagsOf(query, parts, isCut) }, this.#bytes);
    const counts = [1, answers, authority, additional + (query.edns ? 1 : 0)];
    for (const [n, count] of counts.entries()) this.#bytes.writeUInt16BE(count, 4 + 2 * n);
    return this.#bytes.subarray(0, this.#at);
  }

  #begin({ name, question }: Query): void {
    this.#offsets.clear();
    this.#offsets.set(name, HEADER_BYTES);
    this.#bytes.set(question, HEADER_BYTES);
    this.#at = HEADER_BYTES + question.length;
    this.#isCut = false;
  }

  /** How many of them fitted. Behind one that did not there are no more, of no section. */
  #section(records: readonly ResourceRecord[], end: number): number {
    let count = 0;
    for (const record of records) {
      if (this.#isCut) return count;
      if (!this.#isWritable(record)) continue;
      const length = this.#record(record);
      this.#isCut = this.#at + length > end;
      if (this.#isCut) return count;
      this.#remember(record, length);
      this.#at += length;
      count++;
    }
    return count;
  }

  /** The library writes names that no message can hold. */
  #isWritable({ name, data }: ResourceRecord): boolean {
    const names = "target" in data ? [name, data.target] : [name];
    return names.every((each) => this.#offsets.has(each) || (isPlain(each) && nameBytes(each) !== undefined));
  }

  /** Its length. A pointer has one byte more than the root's name, which is written under it. */
  #record(record: ResourceRecord): number {
    const known = this.#offsets.get(record.name);
    if (known === undefined) return this.#put(answerOf(record, record.name), this.#at);
    const length = this.#put(answerOf(record, "."), this.#at + 1);
    this.#bytes.writeUInt16BE(POINTER | known, this.#at);
    return length + 1;
  }

  #put(answer: Answer, at: number): number {
    recordCodec.encode(answer, this.#bytes, at);
    return recordCodec.encode.bytes;
  }

  /** Its owner, and what it leads to, which stands at its end. */
  #remember({ name, data }: ResourceRecord, length: number): void {
    if (this.#at + length > LARGEST_POINTER) return;
    if (!this.#offsets.has(name)) this.#offsets.set(name, this.#at);
    if (!("target" in data) || data.target === "" || this.#offsets.has(data.target)) return;
    this.#offsets.set(data.target, this.#at + length - nameCodec.encodingLength(data.target));
  }
}

function flagsOf({ isRecursionDesired, isCheckingDisabled }: Query, parts: AnswerParts, isCut: boolean): number {
  return (
    FLAG.recursionAvailable |
    (parts.isAuthoritative ? FLAG.authoritative : 0) |
    (isCut ? FLAG.truncated : 0) |
    (isRecursionDesired ? FLAG.recursionDesired : 0) |
    (isCheckingDisabled ? FLAG.checkingDisabled : 0) |
    parts.rcode
  );
}

function answerOf({ ttlSeconds: ttl, data }: ResourceRecord, name: string): Answer {
  switch (data.type) {
    case "A":
      return { name, ttl, type: "A", data: formatAddress(data.address) };
    case "SRV":
      return { name, ttl, type: "SRV", data: { priority: 0, weight: 1, port: data.port, target: data.target } };
    case "TXT":
      return { name, ttl, type: "TXT", data: data.text };
    case "SOA": {
      const names = { mname: data.server, rname: `hostmaster.${data.server}` };
      return {
        name,
        ttl,
        type: "SOA",
        data: { ...names, ...SOA_TIMES, serial: data.serial, minimum: data.negativeSeconds },
      };
    }
    case "raw":
      // The library's word for a type by its number, whose bytes it leaves alone.
      return { name, ttl, type: `UNKNOWN_${data.number}` as "NULL", data: data.bytes };
    default:
      return { name, ttl, type: data.type, data: data.target };
  }
}
