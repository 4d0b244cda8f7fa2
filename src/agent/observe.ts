import type { ObservedRun } from "../drivers/driver.ts";
import type { Pod } from "../model/pod.ts";
import { type Now, noteEnd } from "./restart-rules.ts";
import type { ContainerSeen } from "./seen.ts";

const RANK = { created: 0, running: 1, exited: 2 } as const;

/** What is known of a container once a driver has said something about one of its runs. Pure. */
export function observe(pod: Pod, before: ContainerSeen, run: ObservedRun, now: Now): ContainerSeen {
  if (run.ref.attempt < before.attempt) return observeOlder(before, run);
  if (run.ref.attempt > before.attempt) return observe(pod, withAttempt(before, run.ref.attempt, true), run, now);
  const known = before.run;
  // A unit goes back from running to loaded when that is asked; anything else that goes back is old news.
  const unloads = run.driver === "unit" && run.state === "created" && known?.state === "running";
  if (known !== undefined && RANK[run.state] < RANK[known.state] && !unloads) return before;
  if (run.state !== "exited") {
    // It runs: whatever happened to the host did not happen to it.
    const { interrupted, ...rest } = before;
    return { ...rest, run, wasStarted: true };
  }
  // How it ended may be learned after that it ended.
  if (known?.state === "exited") return known.exitCode === undefined ? { ...before, run } : before;
  return withoutBusy({ ...noteEnd(pod, before, run, now), wasStarted: true }, "stopping");
}

/** The container with a new run to come (or to be adopted); the present one becomes the previous. */
export function withAttempt(before: ContainerSeen, attempt: number, adopted: boolean): ContainerSeen {
  const { run, previous, kill, interrupted, trouble, health, asked, ...rest } = before;
  const last = run ?? previous;
  const old = run !== undefined && previous !== undefined ? [...before.old, previous.ref.attempt] : before.old;
  const strays = run?.state === "running" ? [...before.strays, run.ref.attempt] : before.strays;
  return {
    ...rest,
    attempt,
    old,
    strays,
    // A run that somebody else started (this agent, before its record was lost) has had its hook.
    postStarted: adopted,
    started: false,
    ready: false,
    ...(last === undefined ? {} : { previous: last }),
  };
}

function observeOlder(before: ContainerSeen, run: ObservedRun): ContainerSeen {
  const { attempt } = run.ref;
  if (run.state === "running") {
    return before.strays.includes(attempt) ? before : { ...before, strays: [...before.strays, attempt] };
  }
  const strays = before.strays.filter((stray) => stray !== attempt);
  const known = before.previous;
  if (known === undefined) return { ...before, strays, previous: run };
  if (attempt === known.ref.attempt) return { ...before, strays, previous: known.exitCode === undefined ? run : known };
  const [newer, older] = attempt > known.ref.attempt ? [run, known] : [known, run];
  const old = [...new Set([...before.old, older.ref.attempt])].toSorted((a, b) => a - b);
  return { ...before, strays, previous: newer, old };
}

/** These attempts are no longer there. */
export function withoutAttempts(before: ContainerSeen, attempts: readonly number[]): ContainerSeen {
  const { run, previous, ...rest } = before;
  const keeps = (each: ObservedRun | undefined) => each !== undefined && !attempts.includes(each.ref.attempt);
  return {
    ...rest,
    old: before.old.filter((attempt) => !attempts.includes(attempt)),
    strays: before.strays.filter((attempt) => !attempts.includes(attempt)),
    wasStarted: before.wasStarted && !attempts.includes(before.attempt),
    ...(keeps(run) && run ? { run } : {}),
    ...(keeps(previous) && previous ? { previous } : {}),
  };
}

/** Ends `busy`, if it is still this that it is busy with. */
export function withoutBusy(before: ContainerSeen, busy: NonNullable<ContainerSeen["busy"]>): ContainerSeen {
  if (before.busy !== busy) return before;
  const { busy: _, stopByMs, progress, ...rest } = before;
  return rest;
}
