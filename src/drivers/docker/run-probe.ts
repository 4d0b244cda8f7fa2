/** A command run to its end within a time, for probes and hooks. */
import type { ExecSession } from "../../model/streams.ts";
import type { Clock } from "../../seams/clock.ts";
import { DriverError } from "../driver.ts";

const OUTPUT_BYTES = 4096;

/** DriverError `ProbeTimeout` when it has not ended in time; it is killed then. */
export async function runProbe(
  session: ExecSession,
  command: readonly string[],
  timeoutMs: number,
  clock: Clock,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = clock.setTimer(timeoutMs, () => {
    const words = `command "${command.join(" ")}" timed out: it did not end within ${timeoutMs / 1000} s`;
    reject(new DriverError(words, { temporary: true, reason: "ProbeTimeout" }));
    session.kill();
  });
  try {
    return await Promise.race([late, finish(session)]);
  } finally {
    timer.cancel();
  }
}

async function finish(session: ExecSession): Promise<{ readonly exitCode: number; readonly output: string }> {
  const kept: Uint8Array[] = [];
  let size = 0;
  for await (const { data } of session.output) {
    if (size < OUTPUT_BYTES) kept.push(data.subarray(0, OUTPUT_BYTES - size));
    size += data.length;
  }
  return { exitCode: await session.exitCode, output: Buffer.concat(kept).toString("utf8") };
}
