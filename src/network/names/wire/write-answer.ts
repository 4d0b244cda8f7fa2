/** Answers as bytes. */
import { CLASS, FLAG, HEADER_BYTES, LEAST_UDP_BYTES, MOST_TCP_BYTES, MOST_UDP_BYTES, TYPE } from "./constants.ts";
import { nameBytes } from "./name.ts";
import type { BadQuery, Query } from "./read-query.ts";
import type { RecordData, ResourceRecord } from "./record.ts";

export interface AnswerParts {
  readonly rcode: number;
  readonly isAuthoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
}

const OPT_BYTES = 11;
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
 */
export class AnswerWriter {
  readonly #bytes = Buffer.allocUnsafe(MOST_TCP_BYTES);
  readonly #offsets = new Map<string, number>();
  #at = 0;

  write(query: Query, parts: AnswerParts, limit: number): Buffer {
    const bytes = this.#bytes;
    const end = limit - (query.edns ? OPT_BYTES : 0);
    this.#begin(query);
    const answers = this.#section(parts.answers, end);
    const isCut = answers < parts.answers.length;
    // Behind a record that did not fit, pointers could point into what was taken back.
    const authority = isCut ? 0 : this.#section(parts.authority, end);
    const additional = isCut || authority < parts.authority.length ? 0 : this.#section(parts.additional, end);
    this.#header(query, parts, isCut);
    bytes.writeUInt16BE(answers, 6);
    bytes.writeUInt16BE(authority, 8);
    bytes.writeUInt16BE(additional + (query.edns ? 1 : 0), 10);
    if (query.edns) this.#at += optRecord(0).copy(bytes, this.#at);
    return bytes.subarray(0, this.#at);
  }

  #header({ id, isRecursionDesired, isCheckingDisabled }: Query, parts: AnswerParts, isCut: boolean): void {
    const bytes = this.#bytes;
    const flags =
      FLAG.response |
      FLAG.recursionAvailable |
      (parts.isAuthoritative ? FLAG.authoritative : 0) |
      (isCut ? FLAG.truncated : 0) |
      (isRecursionDesired ? FLAG.recursionDesired : 0) |
      (isCheckingDisabled ? FLAG.checkingDisabled : 0);
    bytes.writeUInt16BE(id, 0);
    bytes.writeUInt16BE(flags | parts.rcode, 2);
    bytes.writeUInt16BE(1, 4);
  }

  #begin({ name, question }: Query): void {
    this.#offsets.clear();
    this.#bytes.set(question, HEADER_BYTES);
    this.#at = HEADER_BYTES + question.length;
    this.#remember(name, HEADER_BYTES);
  }

  /** How many of them fitted. */
  #section(records: readonly ResourceRecord[], end: number): number {
    let count = 0;
    for (const record of records) {
      const before = this.#at;
      if (!this.#record(record, end)) {
        this.#at = before;
        return count;
      }
      count++;
    }
    return count;
  }

  #record({ name, ttlSeconds, data }: ResourceRecord, end: number): boolean {
    if (!this.#name(name, end, true) || this.#at + 10 > end) return false;
    const bytes = this.#bytes;
    bytes.writeUInt16BE(data.type === "raw" ? data.number : TYPE[data.type], this.#at);
    bytes.writeUInt16BE(CLASS.IN, this.#at + 2);
    bytes.writeUInt32BE(ttlSeconds, this.#at + 4);
    const start = this.#at + 10;
    this.#at = start;
    if (!this.#data(data, end)) return false;
    bytes.writeUInt16BE(this.#at - start, start - 2);
    return true;
  }

  #data(data: RecordData, end: number): boolean {
    switch (data.type) {
      case "A":
        return this.#numbers(end, [[4, data.address]]);
      case "SRV":
        // RFC 2782: its target is not compressed.
        return (
          this.#numbers(end, [
            [2, 0],
            [2, 1],
            [2, data.port],
          ]) && this.#name(data.target, end, false)
        );
      case "TXT":
        return this.#raw(Buffer.concat([Buffer.from([data.text.length]), Buffer.from(data.text, "latin1")]), end);
      case "SOA":
        return this.#soa(data, end);
      case "raw":
        return this.#raw(data.bytes, end);
      default:
        return this.#name(data.target, end, true);
    }
  }

  #soa({ server, serial, negativeSeconds }: Extract<RecordData, { type: "SOA" }>, end: number): boolean {
    const { refresh, retry, expire } = SOA_TIMES;
    return (
      this.#name(server, end, true) &&
      this.#name(`hostmaster.${server}`, end, true) &&
      this.#numbers(
        end,
        [serial, refresh, retry, expire, negativeSeconds].map((value) => [4, value] as const),
      )
    );
  }

  #numbers(end: number, numbers: readonly (readonly [bytes: number, value: number])[]): boolean {
    for (const [size, value] of numbers) {
      if (this.#at + size > end) return false;
      this.#bytes.writeUIntBE(value, this.#at, size);
      this.#at += size;
    }
    return true;
  }

  #raw(bytes: Uint8Array, end: number): boolean {
    if (this.#at + bytes.length > end) return false;
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return true;
  }

  #name(name: string, end: number, mayPoint: boolean): boolean {
    for (let rest = name; rest !== ""; ) {
      const known = mayPoint ? this.#offsets.get(rest) : undefined;
      if (known !== undefined && known < this.#at) return this.#numbers(end, [[2, 0xc000 | known]]);
      const dot = rest.indexOf(".");
      const label = dot < 0 ? rest : rest.slice(0, dot);
      const bytes = nameBytes(label);
      if (!bytes || this.#at + bytes.length > end) return false;
      if (mayPoint && this.#at <= LARGEST_POINTER) this.#offsets.set(rest, this.#at);
      // Without the root's byte at its end.
      this.#bytes.set(bytes.subarray(0, -1), this.#at);
      this.#at += bytes.length - 1;
      rest = dot < 0 ? "" : rest.slice(dot + 1);
    }
    return this.#numbers(end, [[1, 0]]);
  }

  /** Where the name and what it ends in stand. */
  #remember(name: string, start: number): void {
    let at = start;
    for (let rest = name; rest !== ""; ) {
      this.#offsets.set(rest, at);
      at += (this.#bytes[at] ?? 0) + 1;
      const dot = rest.indexOf(".");
      rest = dot < 0 ? "" : rest.slice(dot + 1);
    }
  }
}

/** What we take ourselves, without options. */
export function optRecord(extendedRcode: number, isDnssec = false): Buffer {
  const bytes = Buffer.alloc(OPT_BYTES);
  bytes.writeUInt16BE(TYPE.OPT, 1);
  bytes.writeUInt16BE(MOST_UDP_BYTES, 3);
  bytes.writeUInt8(extendedRcode, 5);
  bytes.writeUInt16BE(isDnssec ? 0x8000 : 0, 7);
  return bytes;
}

/** The answer to what cannot be answered. */
export function writeRefusal({ id, rcode, flags, question }: BadQuery): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  const kept = flags & (FLAG.recursionDesired | 0x7800);
  header.writeUInt16BE(FLAG.response | FLAG.recursionAvailable | kept | (rcode & 0xf), 2);
  header.writeUInt16BE(question ? 1 : 0, 4);
  const extended = rcode >> 4;
  header.writeUInt16BE(extended > 0 ? 1 : 0, 10);
  return Buffer.concat([header, question ?? Buffer.alloc(0), ...(extended > 0 ? [optRecord(extended)] : [])]);
}
