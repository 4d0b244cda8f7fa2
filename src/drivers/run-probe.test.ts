import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ExecSession, LogChunk } from "../model/streams.ts";
import { DriverError } from "./driver.ts";
import { runProbe } from "./run-probe.ts";

/** A command whose end is told when `ended` resolves, as its driver would. */
function sessionOf(ended: Promise<number>): ExecSession & { readonly kills: number } {
  return {
    kills: 0,
    exitCode: ended,
    output: (async function* (): AsyncGenerator<LogChunk> {
      yield { stream: "stdout", data: Buffer.from("half") };
      await ended;
    })(),
    write: () => undefined,
    endInput: () => undefined,
    resize: () => undefined,
    kill() {
      (this as { kills: number }).kills++;
    },
  };
}

describe("a probe's command", () => {
  const never = new Promise<never>(() => undefined);
  const failure = async (session: ExecSession, alive: () => Promise<true | number>): Promise<DriverError> => {
    const error = await runProbe({ session, command: ["check"], timeoutMs: 20, alive }).catch((it: unknown) => it);
    assert.ok(error instanceof DriverError, String(error));
    return error;
  };

  test("that does not end while its driver is well has failed, and is killed", async () => {
    const session = sessionOf(never);
    const { temporary, message } = await failure(session, async () => true);
    assert.equal(temporary, false);
    assert.match(message, /"check" timed out: it did not end within 0.02 s/);
    assert.equal(session.kills, 1);
  });

  test("of which a driver that stands still says nothing has not failed", async () => {
    const session = sessionOf(never);
    assert.equal((await failure(session, () => never)).temporary, true);
    assert.equal(session.kills, 1);
  });

  test("whose driver is gone has not failed", async () => {
    const gone = new DriverError("gone", { temporary: true, reason: "EngineUnavailable" });
    assert.equal((await failure(sessionOf(never), () => Promise.reject(gone))).temporary, true);
    assert.equal((await failure(sessionOf(Promise.reject(new Error("ECONNRESET"))), async () => true)).temporary, true);
  });

  test("whose end was told while nobody could listen has ended as it was told", async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const alive = async () => {
      resolve(3);
      return true as const;
    };
    const ended = await runProbe({ session: sessionOf(promise), command: ["check"], timeoutMs: 20, alive });
    assert.deepEqual(ended, { exitCode: 3, output: "half" });
  });
});
