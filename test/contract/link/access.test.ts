/** What whoever serves an API may count on of a node's access: in the same process, or over a link of whatever pace. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ApiError } from "../../../src/model/errors.ts";
import type { ByteStream, ExecSession, LogChunk } from "../../../src/model/streams.ts";
import { type AccessStage, directStage, memoryStage, tlsStage } from "./stages.ts";
import { POD } from "./test-access.ts";
import { until } from "./tls-stage.ts";

const ways: readonly { readonly name: string; readonly open: () => Promise<AccessStage> }[] = [
  { name: "the node's own", open: directStage },
  { name: "over a perfect link", open: () => memoryStage() },
  { name: "over a slow link", open: () => memoryStage({ bytesPerMs: 2_000, delayMs: 15 }) },
  { name: "over a WebSocket with TLS", open: tlsStage },
];

async function all(chunks: AsyncIterable<LogChunk>): Promise<readonly LogChunk[]> {
  const list: LogChunk[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return list;
}

async function bytesOf(stream: ByteStream): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const data of stream.readable) parts.push(data);
  return Buffer.concat(parts);
}

const text = (chunks: readonly LogChunk[]) => Buffer.concat(chunks.map(({ data }) => data)).toString();
const REQUEST = { tty: false, stdin: true };

for (const { name, open } of ways) {
  describe(`access: ${name}`, () => {
    let stage: AccessStage;
    before(async () => {
      stage = await open();
    });
    after(() => stage.close());

    const exec = (...command: string[]): Promise<ExecSession> => stage.access.exec(POD, { ...REQUEST, command });
    const forward = (port: number): Promise<ByteStream> => {
      assert.ok(stage.access.forward);
      return stage.access.forward(POD, port);
    };

    test("logs come whole, in order, with their stream and their time", async () => {
      const chunks = await all(stage.access.logs(POD, { tailLines: 3 }));
      assert.equal(text(chunks), "line 0\nline 1\nline 2\n");
      assert.deepEqual(
        chunks.map(({ stream, timeMs }) => [stream, timeMs]),
        [
          ["stdout", 1000],
          ["stderr", 1001],
          ["stdout", 1002],
        ],
      );
    });

    test("logs that are followed go on until their reader has had enough", async () => {
      const enough = new AbortController();
      const seen: string[] = [];
      for await (const chunk of stage.access.logs(POD, { tailLines: 2, follow: true, signal: enough.signal })) {
        seen.push(text([chunk]));
        if (seen.length === 2) enough.abort();
      }
      assert.deepEqual(seen, ["line 0\n", "line 1\n"]);
      await until("nobody follows any more", () => stage.node.following === 0);
    });

    test("a refusal arrives as it was said, with its reason", async () => {
      const unknown = all(stage.access.logs({ ...POD, uid: "no-such" }, {}));
      await assert.rejects(unknown, { name: "ApiError", reason: "NotFound", message: /no pod with uid no-such/ });
      await assert.rejects(exec("nothing"), { name: "ApiError", reason: "BadRequest", message: /is not running/ });
      await assert.rejects(forward(1), { name: "ApiError", reason: "Unavailable", message: /nothing listens/ });
    });

    test("a command gets its input to the end, and gives its output and its exit code", async () => {
      const session = await exec("echo");
      const input = Buffer.alloc(300_000, "abc");
      await session.write(input);
      session.endInput();
      assert.equal(text(await all(session.output)), input.toString());
      assert.equal(await session.exitCode, 0);
      const failing = await exec("exit", "7");
      assert.equal(text(await all(failing.output)), "done\n");
      assert.equal(await failing.exitCode, 7);
    });

    test("more output than any buffer holds arrives whole", async () => {
      const session = await exec("flood", "2000000");
      let bytes = 0;
      for await (const { data } of session.output) bytes += data.length;
      assert.equal(bytes, 2_000_000);
      assert.equal(await session.exitCode, 0);
    });

    test("a terminal's size reaches the command", async () => {
      const session = await exec("echo");
      session.resize({ columns: 120, rows: 40 });
      await until("the size arrived", () => stage.node.sessions.at(-1)?.sizes.length === 1);
      assert.deepEqual(stage.node.sessions.at(-1)?.sizes, [{ columns: 120, rows: 40 }]);
      session.endInput();
      await all(session.output);
    });

    test("a command that is killed ends on its node", async () => {
      const session = await exec("wait");
      const it = stage.node.sessions.at(-1);
      session.kill();
      await until("it was killed", () => it?.isKilled === true);
      await all(session.output);
    });

    test("a connection gives back what it is sent; each direction ends alone", async () => {
      const connection = await forward(8080);
      const sent = Buffer.alloc(500_000, "0123456789");
      const reading = bytesOf(connection);
      for (let at = 0; at < sent.length; at += 100_000) await connection.write(sent.subarray(at, at + 100_000));
      connection.end();
      assert.ok((await reading).equals(sent));
      connection.destroy();
    });

    test("a connection that is broken off ends on its node", async () => {
      const before = stage.node.connections;
      const connection = await forward(8080);
      assert.equal(stage.node.connections, before + 1);
      connection.destroy();
      await until("it ended", () => stage.node.connections === before);
    });

    test("usage is read", async () => {
      assert.deepEqual(await stage.access.usage(POD), { main: { cpuMillis: 12, memoryBytes: 34 } });
    });

    test("a node is asked of its network, and a question that nobody knows is refused", async () => {
      const to = { address: "10.42.0.5", port: 80, protocol: "tcp" } as const;
      const question = { ask: "arrive", from: { node: "n2", address: "10.42.1.5" }, to } as const;
      const answer = await stage.access.network?.("n1", question);
      assert.deepEqual(answer, { hops: [{ at: "n1", what: "arrive", words: JSON.stringify(question) }] });
      if (!stage.link) return;
      const strange = { ask: "reboot" } as unknown as typeof question;
      await assert.rejects(stage.access.network?.("n1", strange) ?? Promise.resolve(), { reason: "BadRequest" });
    });

    test("many at once do not mix", async () => {
      const one = async (n: number) => {
        const session = await exec("echo");
        await session.write(Buffer.from(`command ${n}\n`.repeat(500)));
        session.endInput();
        return text(await all(session.output)) === `command ${n}\n`.repeat(500);
      };
      const results = await Promise.all(Array.from({ length: 40 }, (_, n) => one(n)));
      assert.ok(results.every(Boolean));
      if (stage.link) await until("no stream is left", () => stage.link?.dispatcher.streams === 0);
    });
  });
}

describe("access: over a link that is lost", () => {
  test("whoever waits is told, and what was begun on the node ends", async () => {
    const stage = await memoryStage();
    const session = await stage.access.exec(POD, { ...REQUEST, command: ["wait"] });
    const reading = all(session.output);
    const following = all(stage.access.logs(POD, { follow: true, tailLines: 1 }));
    await until("the logs are followed", () => stage.node.following === 1);
    stage.link?.dispatcher.stop();
    const said = { name: "ApiError", reason: "Unavailable", message: /connection to node "n1" was lost/ };
    await assert.rejects(reading, said);
    await assert.rejects(following, said);
    await assert.rejects(session.exitCode, said);
    await until("the command was killed", () => stage.node.sessions[0]?.isKilled === true);
    await until("the logs are let go", () => stage.node.following === 0);
    await stage.close();
  });

  test("a node without a link is said to be away", async () => {
    const stage = await memoryStage();
    const elsewhere = stage.access.exec({ ...POD, nodeName: "n2" }, { ...REQUEST, command: ["wait"] });
    await assert.rejects(elsewhere, (error: ApiError) => {
      assert.match(error.message, /node "n2" is not connected at present/);
      return error.reason === "Unavailable" && error.retryAfterSeconds === 2;
    });
    await stage.close();
  });
});
