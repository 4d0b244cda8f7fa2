/** Something that speaks gRPC, answers, and is no etcd: a refusal in words, and no end of the process. */
import assert from "node:assert/strict";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { JournalRefusal } from "../../../src/store/journal.ts";
import { frame } from "../../../src/store/journals/etcd/rpc/frames.ts";
import { openEtcdJournal } from "./open-etcd-journal.ts";

async function refusalBy(answer: (stream: ServerHttp2Stream) => void): Promise<unknown> {
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const error = await openEtcdJournal([`http://127.0.0.1:${port}`], { patienceMs: 300 }).catch((e: unknown) => e);
  for (const session of sessions) session.destroy();
  await new Promise((resolve) => server.close(resolve));
  return error;
}

test("answers that cannot be read are a refusal in words", async () => {
  const error = await refusalBy((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    // Field 2, of 127 bytes that do not come.
    stream.end(frame(Buffer.from([0x12, 0x7f, 0x01])));
  });
  assert.ok(error instanceof JournalRefusal, String(error));
  assert.match(error.message, /cannot be reached: .*what it answers cannot be read/);
});

test("so are errors whose words are not encoded as gRPC has it", async () => {
  const error = await refusalBy((stream) => {
    const words = { "grpc-status": "14", "grpc-message": "100% wrong: %zz" };
    stream.respond({ ":status": 200, "content-type": "application/grpc", ...words }, { endStream: true });
  });
  assert.ok(error instanceof JournalRefusal, String(error));
  assert.match(error.message, /100% wrong: %zz/);
});
