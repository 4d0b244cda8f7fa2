import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { FLAG, HEADER_BYTES, LEAST_UDP_BYTES, RCODE, TYPE } from "./constants.ts";
import { MalformedMessage, nameBytes, readName } from "./name.ts";
import { readUpstreamAnswer, recordsOf } from "./read-answer.ts";
import { type Query, readQuery } from "./read-query.ts";
import type { ResourceRecord } from "./record.ts";
import { AnswerWriter, mostBytes, writeRefusal } from "./write-answer.ts";

const label = fc.stringMatching(/^[a-z0-9_-]{1,12}$/);
const name = fc.array(label, { minLength: 1, maxLength: 8 }).map((labels) => labels.join("."));

function ask(asked: string, type: number = TYPE.A, { edns = 0, flags = FLAG.recursionDesired as number } = {}): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(7, 0);
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(edns > 0 ? 1 : 0, 10);
  const opt = Buffer.from([0, 0, TYPE.OPT, edns >> 8, edns & 0xff, 0, 0, 0, 0, 0, 0]);
  const question = Buffer.concat([nameBytes(asked) ?? Buffer.alloc(0), Buffer.from([0, type, 0, 1])]);
  return Buffer.concat([head, question, ...(edns > 0 ? [opt] : [])]);
}

function queryOf(bytes: Buffer): Query {
  const asked = readQuery(bytes);
  assert.equal(asked.kind, "query");
  return (asked as { query: Query }).query;
}

const addresses = (count: number, owner = "web.example"): readonly ResourceRecord[] =>
  Array.from({ length: count }, (_, n) => ({ name: owner, ttlSeconds: 5, data: { type: "A", address: n } }));
const nothing = { rcode: RCODE.ok, isAuthoritative: true, answers: [], authority: [], additional: [] };

describe("messages of DNS", () => {
  test("bytes without any sense are read without harm, and what is answered to them is small", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const asked = readQuery(bytes);
        if (asked.kind === "bad") assert.ok(writeRefusal(asked.bad).length <= bytes.length + 11);
      }),
      { numRuns: 2000 },
    );
  });

  test("a question that was damaged anywhere is read, or refused", () => {
    fc.assert(
      fc.property(name, fc.nat(), fc.integer({ min: 0, max: 255 }), (asked, at, value) => {
        const bytes = ask(asked, TYPE.A, { edns: 1232 });
        bytes[at % bytes.length] = value;
        assert.ok(["query", "bad", "ignored"].includes(readQuery(bytes).kind));
      }),
      { numRuns: 2000 },
    );
  });

  test("a question that is cut off anywhere is refused, or not answered", () => {
    const whole = ask("web.default.svc.cluster.local", TYPE.A, { edns: 1232 });
    for (let length = 0; length < whole.length; length++)
      assert.notEqual(readQuery(whole.subarray(0, length)).kind, "query", `${length} bytes`);
  });

  test("names keep their bytes, whatever those are", () => {
    const labels = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(labels, (parts) => {
        const bytes = Uint8Array.from([...parts.flatMap((part) => [part.length, ...part]), 0]);
        const folded = bytes.map((byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));
        const lengths = new Set<number>();
        for (let at = 0; bytes[at]; at += (bytes[at] ?? 0) + 1) lengths.add(at);
        const wanted = folded.map((byte, at) => (lengths.has(at) ? (bytes[at] ?? 0) : byte));
        assert.deepEqual(nameBytes(readName(bytes, 0).name), Uint8Array.from(wanted));
      }),
    );
  });

  test("pointers that go round, forward or on and on are refused", () => {
    const itself = Buffer.from([0xc0, 0]);
    const forward = Buffer.from([0xc0, 2, 1, 97, 0]);
    const round = Buffer.from([1, 97, 0xc0, 0]);
    for (const bytes of [itself, forward, round]) assert.throws(() => readName(bytes, 0), MalformedMessage);
    // Each points to the one before: a chain through the whole message is no more than one name's length.
    const chain = Buffer.concat([
      Buffer.from([0]),
      ...Array.from({ length: 5000 }, (_, n) => pointer(n === 0 ? 0 : 2 * n - 1)),
    ]);
    assert.throws(() => readName(chain, chain.length - 2), MalformedMessage);
  });

  test("an answer is never asked anything, and never answered", () => {
    assert.equal(readQuery(ask("a.example", TYPE.A, { flags: FLAG.response })).kind, "ignored");
  });

  const refusals: readonly (readonly [what: string, bytes: Buffer, rcode: number])[] = [
    ["another kind of request (UPDATE)", ask("a.example", TYPE.A, { flags: 5 << 11 }), RCODE.notImplemented],
    ["two questions at once", Buffer.from(ask("a.example").fill(2, 5, 6)), RCODE.formatError],
    [
      "a pointer in the question",
      Buffer.concat([ask("a").subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
      RCODE.formatError,
    ],
    ["EDNS of a later version", versioned(ask("a.example", TYPE.A, { edns: 1232 })), 16],
  ];
  for (const [what, bytes, rcode] of refusals)
    test(`${what} is refused with ${rcode}`, () => {
      const asked = readQuery(bytes);
      assert.equal(asked.kind === "bad" ? asked.bad.rcode : asked.kind, rcode);
    });

  test("what is written is what was meant, read by the other end's rules", () => {
    const writer = new AnswerWriter();
    fc.assert(
      fc.property(name, fc.array(name, { maxLength: 20 }), (asked, targets) => {
        const query = queryOf(ask(asked, TYPE.CNAME));
        const answers = targets.map(
          (target): ResourceRecord => ({ name: asked, ttlSeconds: 9, data: { type: "CNAME", target } }),
        );
        const bytes = Buffer.from(writer.write(query, { ...nothing, answers }, mostBytes(query, "tcp")));
        const read = readUpstreamAnswer(bytes, 7, query.question);
        assert.ok(read);
        assert.equal(read.ttlOffsets.length, targets.length);
        const found = recordsOf(read).map(({ name: owner, data }) => [
          owner,
          data.type === "raw" ? readName(data.bytes, 0).name : "",
        ]);
        assert.deepEqual(
          found,
          targets.map((target) => [asked, target]),
        );
      }),
    );
  });

  test("an answer too long for a datagram is cut between records, and says so", () => {
    const writer = new AnswerWriter();
    for (const edns of [0, 512, 800, 4096]) {
      const query = queryOf(ask("web.example", TYPE.A, { edns }));
      const bytes = writer.write(query, { ...nothing, answers: addresses(400) }, mostBytes(query, "udp"));
      assert.ok(
        bytes.length <= Math.max(LEAST_UDP_BYTES, Math.min(edns, 1232)),
        `${bytes.length} bytes to one who takes ${edns}`,
      );
      assert.ok(bytes.readUInt16BE(2) & FLAG.truncated);
      assert.ok(bytes.readUInt16BE(6) > 20, "as many as fit are there");
    }
    const byTcp = queryOf(ask("web.example"));
    const whole = writer.write(byTcp, { ...nothing, answers: addresses(400) }, mostBytes(byTcp, "tcp"));
    assert.equal(whole.readUInt16BE(6), 400);
    assert.ok(!(whole.readUInt16BE(2) & FLAG.truncated));
  });

  test("one after the other, answers share nothing: a name of the one before is not pointed to", () => {
    const writer = new AnswerWriter();
    const long = queryOf(ask("a.b.c.d.example"));
    writer.write(long, { ...nothing, answers: addresses(3, "x.y.d.example") }, 4096);
    const short = queryOf(ask("z"));
    const bytes = Buffer.from(writer.write(short, { ...nothing, answers: addresses(1, "y.d.example") }, 4096));
    const read = readUpstreamAnswer(bytes, 7, short.question);
    assert.deepEqual(read && recordsOf(read).map((record) => record.name), ["y.d.example"]);
  });

  test("an answer to another question, with another number, or none at all is not taken", () => {
    const query = queryOf(ask("Web.Example"));
    const bytes = Buffer.from(new AnswerWriter().write(query, { ...nothing, answers: addresses(1) }, 4096));
    assert.ok(readUpstreamAnswer(bytes, 7, query.question));
    assert.equal(readUpstreamAnswer(bytes, 8, query.question), undefined);
    assert.equal(readUpstreamAnswer(bytes, 7, queryOf(ask("web.examplf")).question), undefined);
    assert.equal(readUpstreamAnswer(ask("web.example"), 7, query.question), undefined);
  });

  test("a negative answer holds as long as the zone says of such answers", () => {
    const query = queryOf(ask("gone.example"));
    const authority: readonly ResourceRecord[] = [
      { name: "example", ttlSeconds: 600, data: { type: "SOA", server: "ns.example", serial: 1, negativeSeconds: 17 } },
    ];
    const bytes = Buffer.from(
      new AnswerWriter().write(query, { ...nothing, rcode: RCODE.noSuchName, authority }, 4096),
    );
    assert.equal(readUpstreamAnswer(bytes, 7, query.question)?.ttlSeconds, 17);
  });
});

function pointer(to: number): Buffer {
  return Buffer.from([0xc0 | (to >> 8), to & 0xff]);
}

function versioned(bytes: Buffer): Buffer {
  bytes[bytes.length - 5] = 1;
  return bytes;
}
