/** From a question's bytes to the answer's: at once for names of ours and remembered ones, later for all others. */
import type { Clock } from "../../../seams/clock.ts";
import { CLASS, FLAG, HEADER_BYTES, RCODE, TYPE } from "../wire/constants.ts";
import { MalformedMessage } from "../wire/library.ts";
import { writeRefusal } from "../wire/message.ts";
import { nameBytes } from "../wire/name.ts";
import { recordsOf, type UpstreamAnswer } from "../wire/read-answer.ts";
import { type Query, readQuery } from "../wire/read-query.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { AnswerWriter, mostBytes } from "../wire/write-answer.ts";
import { type Found, type LookupSettings, lookup } from "../zones/lookup.ts";
import type { Zones } from "../zones/zones.ts";
import type { ClientGate } from "./client-gate.ts";
import type { Counters } from "./counters.ts";
import type { ForwardedQuestion, Forwarder } from "./forwarder.ts";
import type { Upstreams } from "./upstreams.ts";
import { WaitingRoom } from "./waiting-room.ts";

export interface AnswererParts {
  readonly zones: Zones;
  readonly gate: ClientGate;
  readonly forwarder: Forwarder;
  readonly upstreams: Upstreams;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly settings: LookupSettings;
}

export type Transport = "udp" | "tcp";
type Ours = Extract<Found, { kind: "ours" }>;

export class Answerer {
  readonly #parts: AnswererParts;
  readonly #writer = new AnswerWriter();
  readonly #waiting = new WaitingRoom();
  #turn = 0;

  constructor(parts: AnswererParts) {
    this.#parts = parts;
  }

  /** Calls `reply` once, now or later, or never: with bytes that are the callee's. */
  answer(bytes: Uint8Array, source: string, transport: Transport, reply: (bytes: Buffer) => void): void {
    if (!this.#mayAsk(source)) return;
    const { counters, clock } = this.#parts;
    const startMs = clock.monotonic();
    const answer = this.#answerTo(bytes, source, transport);
    const done = (made: Buffer) => {
      counters.answered((made[3] ?? 0) & 0xf, clock.monotonic() - startMs);
      reply(made);
    };
    if (answer instanceof Promise) void answer.then(done);
    else if (answer) done(answer);
  }

  #mayAsk(source: string): boolean {
    const { gate, counters } = this.#parts;
    if (!gate.admits(source)) counters.count("strangers");
    else if (!gate.take(source)) counters.count("limited");
    else {
      counters.count("queries");
      return true;
    }
    return false;
  }

  #answerTo(bytes: Uint8Array, source: string, transport: Transport): Buffer | Promise<Buffer> | undefined {
    const asked = readQuery(bytes);
    if (asked.kind === "query") return this.#answerQuery(asked.query, source, transport);
    this.#parts.counters.count("malformed");
    return asked.kind === "bad" ? writeRefusal(asked.bad) : undefined;
  }

  #answerQuery(query: Query, source: string, transport: Transport): Buffer | Promise<Buffer> {
    const { zones, settings, upstreams, forwarder } = this.#parts;
    if ((query.class !== CLASS.IN && query.class !== CLASS.ANY) || isTransfer(query.type))
      return this.#plain(query, RCODE.refused);
    if (upstreams.hearsItself(query.name)) return this.#plain(query, RCODE.noSuchName);
    const found = lookup(zones, query.name, query.type, this.#turn++, settings);
    if (found.kind === "ours") {
      if (found.goesOnAt === undefined || !query.isRecursionDesired) return this.#ours(query, found, transport);
      return this.#later(query, source, () => this.#followed(query, found, transport));
    }
    if (!query.isRecursionDesired) return this.#plain(query, RCODE.refused);
    const known = forwarder.known(forwarded(query, transport));
    if (known) return this.#relayed(query, known.answer, transport, known.ageSeconds);
    return this.#later(query, source, () => this.#forwarded(query, transport));
  }

  /** One client that asks for names of others faster than they answer waits for none of the other clients. */
  #later(query: Query, source: string, work: () => Promise<Buffer>): Buffer | Promise<Buffer> {
    if (!this.#waiting.enter(source)) {
      this.#parts.counters.count("limited");
      return this.#plain(query, RCODE.serverFailure);
    }
    return work().finally(() => this.#waiting.leave(source));
  }

  async #forwarded(query: Query, transport: Transport): Promise<Buffer> {
    const answer = await this.#parts.forwarder.ask(forwarded(query, transport));
    return answer ? this.#relayed(query, answer, transport, 0) : this.#plain(query, RCODE.serverFailure);
  }

  /** An alias of ours for a name of somebody else's: both together. */
  async #followed(query: Query, found: Ours, transport: Transport): Promise<Buffer> {
    const target = nameBytes(found.goesOnAt ?? "");
    if (!target) return this.#plain(query, RCODE.serverFailure);
    const question = Buffer.concat([target, query.question.subarray(-4)]);
    const asked = { ...forwarded(query, "tcp"), name: found.goesOnAt ?? "", question, transport: "udp" as const };
    const known = this.#parts.forwarder.known(asked);
    const answer = known?.answer ?? (await this.#parts.forwarder.ask(asked));
    if (!answer) return this.#plain(query, RCODE.serverFailure);
    const answers = [...found.answers, ...readable(answer, known?.ageSeconds ?? 0)];
    return this.#ours(query, { ...found, answers, rcode: answer.rcode }, transport);
  }

  #ours(query: Query, found: Ours, transport: Transport): Buffer {
    const { rcode, answers, authority, additional } = found;
    const parts = { rcode, isAuthoritative: true, answers, authority, additional };
    return Buffer.from(this.#writer.write(query, parts, mostBytes(query, transport)));
  }

  #plain(query: Query, rcode: number): Buffer {
    const parts = { rcode, isAuthoritative: false, answers: [], authority: [], additional: [] };
    return Buffer.from(this.#writer.write(query, parts, mostBytes(query, "tcp")));
  }

  /** Another's answer with this client's number and spelling, and the time that has passed taken off. */
  #relayed(query: Query, answer: UpstreamAnswer, transport: Transport, ageSeconds: number): Buffer {
    if (answer.bytes.length > mostBytes(query, transport)) return this.#cut(query, answer.rcode);
    const bytes = Buffer.from(answer.bytes);
    bytes.writeUInt16BE(query.id, 0);
    bytes.set(query.question, HEADER_BYTES);
    for (const at of answer.ttlOffsets) bytes.writeUInt32BE(Math.max(0, bytes.readUInt32BE(at) - ageSeconds), at);
    return bytes;
  }

  #cut(query: Query, rcode: number): Buffer {
    const bytes = this.#plain(query, rcode);
    bytes.writeUInt16BE(bytes.readUInt16BE(2) | FLAG.truncated, 2);
    return bytes;
  }
}

function isTransfer(type: number): boolean {
  return type === TYPE.AXFR || type === TYPE.IXFR;
}

function forwarded(query: Query, transport: Transport): ForwardedQuestion {
  const { name, type, class: kind, question, isCheckingDisabled, edns } = query;
  return {
    ...{ name, type, class: kind, question, isCheckingDisabled, transport },
    ...(edns ? { edns: { isDnssec: edns.isDnssec } } : {}),
  };
}

function readable(answer: UpstreamAnswer, ageSeconds: number): readonly ResourceRecord[] {
  try {
    return recordsOf(answer).map((each) => ({ ...each, ttlSeconds: Math.max(0, each.ttlSeconds - ageSeconds) }));
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error;
    return NO_RECORDS;
  }
}

const NO_RECORDS: readonly ResourceRecord[] = [];
