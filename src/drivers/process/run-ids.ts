import type { ObservedRun, RunRef } from "../driver.ts";
import type { ProcessInfo } from "../keeper/keeper.ts";

/** The role that marks processes of this driver among all that the keeper keeps. */
const ROLE = "process";

export function processIdOf({ podUid, container, attempt }: RunRef): string {
  return `${podUid}/${container}/${attempt}/${ROLE}`;
}

/** Undefined for what another driver started. */
export function refOf(id: string): RunRef | undefined {
  const [podUid, container, attempt, role, ...more] = id.split("/");
  if (role !== ROLE || more.length > 0 || !podUid || !container || !/^\d+$/.test(attempt ?? "")) return undefined;
  return { podUid, container, attempt: Number(attempt) };
}

/** Every run has a cgroup of its own: what an earlier run left behind is told from what runs now. */
export function cgroupOf({ podUid, container, attempt }: RunRef): string {
  return `${podUid}/${container}.${attempt}`;
}

export function observedRun(ref: RunRef, info: ProcessInfo): ObservedRun {
  const message = messageOf(info);
  return {
    ref,
    driver: "process",
    id: `process://${info.pid}`,
    state: info.state,
    startedAtMs: info.startedAtMs,
    ...(info.exitedAtMs === undefined ? {} : { finishedAtMs: info.exitedAtMs }),
    ...(info.exitCode === undefined ? {} : { exitCode: info.exitCode }),
    ...(info.signal === undefined ? {} : { signal: info.signal, exitCode: 128 + info.signal }),
    ...(info.outOfMemory ? { outOfMemory: true } : {}),
    ...(message === undefined ? {} : { message }),
  };
}

function messageOf({ lost, error, outOfMemory, signal }: ProcessInfo): string | undefined {
  if (error !== undefined) return error;
  if (lost) return "it ended while nothing watched it; how is not known";
  if (outOfMemory) return "killed by the kernel: it wanted more memory than its limit";
  return signal === undefined ? undefined : `ended by signal ${signal}`;
}
