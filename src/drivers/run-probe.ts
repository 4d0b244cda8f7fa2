/** A command run to its end within a time, for probes and hooks. */
import type { ExecSession } from "../model/streams.ts";
import { DriverError } from "./driver.ts";
import { within } from "./within.ts";

export interface ProbeRun {
  readonly session: ExecSession;
  readonly command: readonly string[];
  readonly timeoutMs: number;
  /** Asks whoever carries the command out whether it is there at all, with any answer; rejects when not. */
  alive(): Promise<true | number>;
}

export interface ProbeEnd {
  readonly exitCode: number;
  readonly output: string;
}

const OUTPUT_BYTES = 4096;
/** Who is well answers in milliseconds. One that takes longer has stood still, and with it the answer to the command. */
const ALIVE_MS = 1000;

/**
 * DriverError `ProbeTimeout`, not temporary, when the command has not ended in time; it is killed then. Temporary when
 * nobody could say how it ended: that says nothing of the container.
 */
export async function runProbe({ session, command, timeoutMs, alive }: ProbeRun): Promise<ProbeEnd> {
  const end = finish(session);
  // Whoever stops waiting for it must not be brought down by it.
  end.catch(() => undefined);
  const inTime = await within(end, timeoutMs);
  if (inTime !== undefined) return inTime;
  try {
    const isAlive = await within(alive(), ALIVE_MS);
    if (isAlive === undefined) throw unasked("it stands still");
    // What came while this process itself stood still has been read by now.
    const late = await within(end, 0);
    if (late !== undefined) return late;
  } finally {
    session.kill();
  }
  const words = `command "${command.join(" ")}" timed out: it did not end within ${timeoutMs / 1000} s`;
  throw new DriverError(words, { temporary: false, reason: "ProbeTimeout" });
}

async function finish(session: ExecSession): Promise<ProbeEnd> {
  const kept: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const { data } of session.output) {
      if (size < OUTPUT_BYTES) kept.push(data.subarray(0, OUTPUT_BYTES - size));
      size += data.length;
    }
    return { exitCode: await session.exitCode, output: Buffer.concat(kept).toString("utf8") };
  } catch (error) {
    throw error instanceof DriverError ? error : unasked(String(error), error);
  }
}

function unasked(why: string, cause?: unknown): DriverError {
  const words = `what was to say how the command ended does not answer: ${why}`;
  return new DriverError(words, { temporary: true, reason: "ProbeUnasked", cause });
}
