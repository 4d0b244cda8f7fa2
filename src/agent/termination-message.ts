import { type Driver, DriverError, type ObservedRun } from "../drivers/driver.ts";
import { type Container, driverOf } from "../model/pod.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Volumes } from "./volumes.ts";

/** Kubernetes' bounds for words taken from the output (MaxContainerTerminationMessageLogLength, …Lines). */
const MOST_BYTES = 2048;
const MOST_LINES = 80;
const LONGEST_MS = 5_000;

interface MessageHost {
  readonly driver: Driver;
  readonly volumes: Volumes;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whether the end of this run may have last words that the engine does not report. */
export function mayHaveMessage(container: Container, run: ObservedRun): boolean {
  const isContained = ["docker", "fake"].includes(driverOf(container));
  const isSeen = run.state === "exited" && run.exitCode !== undefined && run.reason === undefined;
  return isContained && isSeen && Boolean(container.terminationMessagePath);
}

/** The ended run with what its container wrote to terminationMessagePath or, if that was asked for, with the end of its output. Never rejects. */
export async function withMessage(container: Container, run: ObservedRun, host: MessageHost): Promise<ObservedRun> {
  const { podUid, attempt } = run.ref;
  try {
    const written = await host.volumes.terminationMessage?.(podUid, container.name, attempt);
    const asksForLogs = container.terminationMessagePolicy === "FallbackToLogsOnError" && run.exitCode !== 0;
    const message = written ?? (asksForLogs ? await endOfOutput(run, host) : undefined);
    return message === undefined ? run : { ...run, message };
  } catch (error) {
    host.log.warn("the last words of a container cannot be read", { container: container.name, why: String(error) });
    return run;
  }
}

async function endOfOutput({ ref }: ObservedRun, { driver, clock }: MessageHost): Promise<string | undefined> {
  const tooLong = new AbortController();
  const timer = clock.setTimer(LONGEST_MS, () =>
    tooLong.abort(new DriverError("the output takes too long", { temporary: true, reason: "LogsError" })),
  );
  const pieces: Uint8Array[] = [];
  try {
    for await (const { data } of driver.logs?.(ref, { tailLines: MOST_LINES, signal: tooLong.signal }) ?? [])
      pieces.push(data);
  } finally {
    timer.cancel();
  }
  const text = Buffer.concat(pieces).subarray(-MOST_BYTES).toString("utf8");
  return text === "" ? undefined : text;
}
