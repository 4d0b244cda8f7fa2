import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Driver, DriverError } from "../drivers/driver.ts";
import type { Transport } from "../seams/transport.ts";
import { type CheckTarget, runCheck } from "./check-runner.ts";

describe("a command as a check", () => {
  const answers = (answer: () => Promise<{ exitCode: number; output: string }>) => {
    const driver = { name: "docker", probe: answer } as unknown as Driver;
    const target = { driver, transport: {} as Transport, ref: { podUid: "u", container: "c", attempt: 0 } };
    return runCheck({ exec: { command: ["alive"] } }, target as unknown as CheckTarget, { timeoutMs: 1000 });
  };
  const fails = (temporary: boolean) => () =>
    Promise.reject(new DriverError("no answer", { temporary, reason: "EngineUnavailable" }));

  test("a driver that cannot be asked says nothing of the container", async () => {
    assert.deepEqual(await answers(fails(true)), { verdict: "neutral", words: "no answer" });
  });

  test("a command that failed, or took too long while the driver was well, does", async () => {
    assert.equal((await answers(fails(false))).verdict, "failure");
    assert.equal((await answers(async () => ({ exitCode: 1, output: "" }))).verdict, "failure");
  });
});
