import { DriverError } from "../driver.ts";
import type { ExecSpec, Keeper } from "./keeper.ts";

const MOST_OUTPUT = 4096;

/** Runs a command to its end; its first 4 KiB of output, both streams together. DriverError `Timeout` when it takes longer. */
export async function runForProbe(
  keeper: Keeper,
  spec: ExecSpec,
  timeoutMs: number,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const session = await keeper.exec(spec, { tty: false, stdin: false });
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    session.kill();
  }, timeoutMs);
  try {
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const { data } of session.output) {
      if (size < MOST_OUTPUT) pieces.push(Buffer.from(data));
      size += data.length;
    }
    const exitCode = await session.exitCode;
    if (isLate) throw late(spec, timeoutMs);
    return { exitCode, output: Buffer.concat(pieces).subarray(0, MOST_OUTPUT).toString("utf8") };
  } finally {
    clearTimeout(deadline);
  }
}

function late({ argv }: ExecSpec, timeoutMs: number): DriverError {
  return new DriverError(`${argv[0]} did not end within ${timeoutMs} ms`, { temporary: true, reason: "Timeout" });
}
