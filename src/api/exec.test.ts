import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Socket } from "../http/route.ts";
import type { ExecSession, LogChunk } from "../model/streams.ts";
import { type Clock, SystemClock } from "../seams/clock.ts";
import { silentLog } from "../seams/log.ts";
import { serveExec } from "./exec.ts";

/** A connection whose client reads nothing: everything that is sent stays. */
class StuckSocket implements Socket {
  readonly protocol = "";
  bufferedBytes = 0;
  sent = 0;
  readonly #listeners: (() => void)[] = [];

  send(data: Uint8Array): void {
    this.sent++;
    this.bufferedBytes += data.length;
  }
  close(): void {}
  onMessage(): void {}
  onClose(listener: () => void): void {
    this.#listeners.push(listener);
  }
  breakOff(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Writes without end, until it is killed. */
class Chatter implements ExecSession {
  readonly ended = Promise.withResolvers<number>();
  readonly exitCode = this.ended.promise;
  given = 0;
  killed = false;
  released = false;
  readonly output = this.#chat();

  async *#chat(): AsyncGenerator<LogChunk> {
    try {
      while (!this.killed) {
        this.given++;
        yield { stream: "stdout", data: new Uint8Array(600_000) };
      }
    } finally {
      this.released = true;
    }
  }
  write(): void {}
  endInput(): void {}
  resize(): void {}
  kill(): void {
    this.killed = true;
    this.ended.resolve(137);
  }
}

class CountingClock extends SystemClock implements Clock {
  sleeps = 0;
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps++;
    return super.sleep(ms, signal);
  }
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    assert(performance.now() < deadline, `within 5 s, ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("a command over a connection", () => {
  test("waits for a slow client; when that has gone, it is killed and nothing waits any more", async () => {
    const [socket, session, clock] = [new StuckSocket(), new Chatter(), new CountingClock()];
    serveExec(socket, session, { clock, log: silentLog });
    await until(() => clock.sleeps >= 2, "the output did not wait for the client");
    assert.deepEqual([session.given, socket.sent], [2, 2]);
    socket.breakOff();
    assert(session.killed);
    await until(() => session.released, "the command's output was not let go of");
    const sleeps = clock.sleeps;
    await new SystemClock().sleep(100);
    assert.deepEqual([clock.sleeps, socket.sent], [sleeps, 2]);
  });
});
