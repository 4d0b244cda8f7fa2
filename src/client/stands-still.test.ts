import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSilent } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ManualClock } from "../seams/manual-clock.ts";
import { ClientError } from "./client-error.ts";
import { Connection } from "./connection.ts";
import { PATIENCE_MS, PROBE_MS } from "./stands-still.ts";

/** Advances until the call has ended: sockets are real, and take their turns. */
async function advanced<T>(clock: ManualClock, call: Promise<T>): Promise<T | Error> {
  let ended: T | Error | undefined;
  call.then(
    (value) => {
      ended = value;
    },
    (error: Error) => {
      ended = error;
    },
  );
  for (let turn = 0; ended === undefined; turn++) {
    assert.ok(turn < 10_000, "the call has not ended");
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(20);
  }
  return ended;
}

describe("a server that takes calls and stands still", () => {
  test("is left after a while in words, with another one to ask where one is known", async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "styr-still-"));
    t.after(() => rmSync(dir, { recursive: true }));
    const path = join(dir, "styr.sock");
    const sockets: { destroy(): void }[] = [];
    const server = createSilent((socket) => sockets.push(socket)).listen(path);
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const clock = new ManualClock();
    const connection = new Connection({ type: "unix", path }, { clock });
    const beganMs = clock.monotonic();
    const read = await advanced(clock, connection.call({ method: "GET", path: "/styr/v1/status" }));
    assert.ok(read instanceof ClientError);
    assert.match(read.message, /styr\.sock takes calls and answers none of them/);
    assert.doesNotMatch(read.message, /not known whether/);
    assert.ok(clock.monotonic() - beganMs >= PATIENCE_MS + PROBE_MS);
    writeFileSync(join(dir, "cluster.json"), '{"nodeName": "h1", "servers": ["https://h1:7443", "https://h2:7443"]}');
    const write = await advanced(clock, connection.call({ method: "POST", path: "/x", body: {} }));
    assert.ok(write instanceof ClientError);
    assert.match(write.message, /not known whether it does what it was asked for/);
    assert.equal(write.next, "styr --server https://h2:7443 …");
  });

  test("is not one that takes long for a question and answers others", async (t) => {
    const clock = new ManualClock();
    const beganMs = clock.monotonic();
    const server = createServer((asked, response) => {
      if (asked.url === "/styr/v1/version") {
        response.end("{}");
        return;
      }
      clock.setTimer(PATIENCE_MS * 3, () => response.end("done"));
    }).listen(0, "127.0.0.1");
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const connection = new Connection({ type: "net", url: new URL(`http://127.0.0.1:${port}`) }, { clock });
    const answer = await advanced(clock, connection.call({ method: "GET", path: "/slow" }));
    assert.ok(!(answer instanceof Error), String(answer));
    assert.equal(answer.text, "done");
    assert.ok(clock.monotonic() - beganMs >= PATIENCE_MS * 3);
  });
});
