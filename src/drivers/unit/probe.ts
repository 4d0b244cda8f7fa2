import type { ExecSession } from "../../model/streams.ts";
import type { Clock } from "../../seams/clock.ts";

const OUTPUT_BYTES = 4096;
/** As timeout(1). */
const TIMED_OUT = 124;

/** Runs a session to its end, or kills it after `timeoutMs`. */
export async function runProbe(
  session: ExecSession,
  timeoutMs: number,
  clock: Clock,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  let isLate = false;
  const timer = clock.setTimer(timeoutMs, () => {
    isLate = true;
    session.kill();
  });
  session.endInput();
  try {
    const [output, exitCode] = await Promise.all([collect(session), session.exitCode]);
    return isLate
      ? { exitCode: TIMED_OUT, output: `no answer within ${timeoutMs / 1000} s` }
      : { exitCode, output: output.toString("utf8") };
  } finally {
    timer.cancel();
  }
}

async function collect({ output }: ExecSession): Promise<Buffer> {
  let kept = Buffer.alloc(0);
  for await (const { data } of output)
    if (kept.length < OUTPUT_BYTES) kept = Buffer.concat([kept, data]).subarray(0, OUTPUT_BYTES);
  return kept;
}
