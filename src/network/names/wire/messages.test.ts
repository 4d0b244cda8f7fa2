import assert from "node:assert/strict";
import { describe, test } from "node:test";
import dnsPacket from "dns-packet";
import fc from "fast-check";
import { FLAG, HEADER_BYTES, LEAST_UDP_BYTES, RCODE, TYPE } from "./constants.ts";
import { MalformedMessage } from "./library.ts";
import { writeRefusal } from "./message.ts";
import { nameBytes, readName } from "./name.ts";
import { readUpstreamAnswer, recordsOf } from "./read-answer.ts";
import { type Query, readQuery } from "./read-query.ts";
import type { ResourceRecord } from "./record.ts";
import { AnswerWriter, mostBytes } from "./write-answer.ts";

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
        const bytes = Buffer.from([...parts.flatMap((part) => [part.length, ...part]), 0]);
        const folded = bytes.map((byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));
        const lengths = new Set<number>();
        for (let at = 0; bytes[at]; at += (bytes[at] ?? 0) + 1) lengths.add(at);
        const wanted = folded.map((byte, at) => (lengths.has(at) ? (bytes[at] ?? 0) : byte));
        assert.deepEqual(nameBytes(readName(bytes, 0).name), Buffer.from(wanted));
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

  test("names that a library's text would mix up are different names", () => {
    const label = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, "latin1")]);
    const named = (...labels: readonly string[]) => Buffer.concat([...labels.map(label), Buffer.from([0])]);
    const ours = readName(named("web", "mesos"), 0).name;
    assert.equal(ours, "web.mesos");
    const others = [named("web.mesos"), named("web", "mesos\xff"), named("web", "mesos\xfe"), named(".web", "mesos")];
    const names = others.map((bytes) => readName(bytes, 0).name);
    assert.equal(new Set([ours, ...names]).size, 5, JSON.stringify(names));
  });

  test("names that no message can hold are not written, whoever told them", () => {
    assert.equal(nameBytes("a".repeat(64)), undefined);
    assert.equal(nameBytes("a".repeat(300)), undefined);
    assert.equal(nameBytes("a..b"), undefined);
    assert.equal(nameBytes(Array.from({ length: 128 }, () => "a").join(".")), undefined);
    const query = queryOf(ask("web.example"));
    const target = "a".repeat(64);
    const alias: ResourceRecord = { name: "web.example", ttlSeconds: 5, data: { type: "CNAME", target } };
    const bytes = new AnswerWriter().write(query, { ...nothing, answers: [alias, ...addresses(1)] }, 512);
    assert.equal(bytes.readUInt16BE(6), 1);
  });

  test("what a message says of itself costs nothing: counts without records, records without end, chains of pointers", () => {
    const counts = ask("web.example");
    counts.fill(0xff, 6, 12);
    // NSEC (47) with a bitmap of all types in each window, which is read bit by bit.
    const window = Buffer.concat([Buffer.from([0, 255]), Buffer.alloc(255, 0xff)]);
    const bitmap = Buffer.concat([Buffer.from([0]), ...Array.from({ length: 14 }, () => window)]);
    const record = Buffer.from([0, 0, 47, 0, 1, 0, 0, 0, 0, bitmap.length >> 8, bitmap.length & 0xff]);
    const dear = Buffer.concat([ask("web.example"), record, bitmap]);
    dear.writeUInt16BE(1, 10);
    assert.equal(readQuery(dear).kind, "query");
    // Of this process: what else runs on the machine costs nothing here.
    const started = process.cpuUsage();
    for (let n = 0; n < 2000; n++) assert.ok([readQuery(counts).kind, readQuery(dear).kind].includes("bad"));
    const { user, system } = process.cpuUsage(started);
    const microseconds = (user + system) / 2000;
    assert.ok(microseconds < 200, `${microseconds} µs each`);
  });

  test("an answer of another server that was damaged anywhere is read, or refused as malformed", () => {
    const query = queryOf(ask("web.example", TYPE.A, { edns: 1232 }));
    const alias: ResourceRecord = { name: "web.example", ttlSeconds: 5, data: { type: "CNAME", target: "b.example" } };
    const answers = [alias, ...addresses(4, "b.example")];
    const whole = Buffer.from(new AnswerWriter().write(query, { ...nothing, answers }, 1232));
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, fc.nat({ max: whole.length }), (changes, length) => {
        const bytes = Buffer.from(whole.subarray(0, length));
        for (const [at, value] of changes) if (length > 0) bytes[at % length] = value;
        try {
          const read = readUpstreamAnswer(bytes, 7, query.question);
          if (read) assert.ok(recordsOf(read).length <= bytes.readUInt16BE(6));
        } catch (error) {
          assert.ok(error instanceof MalformedMessage, String(error));
        }
      }),
      { numRuns: 5000 },
    );
  });

  test("whatever is answered to is written by the library's rules and read by them: owners are pointed to", () => {
    const query = queryOf(ask("_sql._tcp.db.example", TYPE.SRV, { edns: 1232 }));
    const owner = "_sql._tcp.db.example";
    const hosts = ["db-0.db.example", "db-1.db.example"];
    const parts = {
      ...nothing,
      answers: hosts.map(
        (target): ResourceRecord => ({ name: owner, ttlSeconds: 5, data: { type: "SRV", target, port: 5432 } }),
      ),
      additional: hosts.flatMap((host) => addresses(1, host)),
    };
    const bytes = Buffer.from(new AnswerWriter().write(query, parts, 1232));
    const read = dnsPacket.decode(bytes);
    assert.equal(dnsPacket.decode.bytes, bytes.length);
    assert.deepEqual(
      read.answers?.map((answer) => [answer.name, answer.type === "SRV" && answer.data.target]),
      hosts.map((host) => [owner, host]),
    );
    assert.deepEqual(
      read.additionals?.map(({ name: host, type }) => [host, type]),
      [...hosts.map((host) => [host, "A"]), [".", "OPT"]],
    );
    assert.ok(bytes.length < 12 + 26 + 2 * (18 + 17) + 2 * 16 + 11 + 1, `${bytes.length} bytes`);
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
    [
      "a pointer into the header",
      Buffer.concat([ask("a").subarray(0, 12), Buffer.from([0xc0, 2, 0, 1, 0, 1])]),
      RCODE.formatError,
    ],
    ["EDNS with an option cut off", optioned(ask("a.example", TYPE.A, { edns: 1232 })), RCODE.formatError],
    ["a packet larger than any question", Buffer.concat([ask("a.example"), Buffer.alloc(5000)]), RCODE.formatError],
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

/** A cookie that says it has eight bytes, of which two are there. */
function optioned(bytes: Buffer): Buffer {
  bytes.writeUInt16BE(6, bytes.length - 2);
  return Buffer.concat([bytes, Buffer.from([0, 10, 0, 8, 1, 2])]);
}
