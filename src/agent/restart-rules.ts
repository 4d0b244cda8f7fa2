import type { ObservedRun } from "../drivers/driver.ts";
import { type BackoffRules, backoffMs } from "../lib/backoff.ts";
import { type Container, driverOf, type Pod } from "../model/pod.ts";
import { type ContainerSeen, isAsked, isLoadOnly, isSidecar } from "./seen.ts";

/** Kubernetes' numbers (kubelet: MaxContainerBackOff, initial 10 s). */
const DEFAULT_BACKOFF: BackoffRules = { initialMs: 10_000, factor: 2, maxMs: 300_000 };
/** A run this long forgives the crashes before it. */
const FORGIVEN_AFTER_MS = 600_000;

/** Pulls and starts that fail: the same numbers, counted for themselves. */
export const TROUBLE_BACKOFF: BackoffRules = { initialMs: 10_000, factor: 2, maxMs: 300_000 };
/** Failures that are the node's, not the image's or the pod's: an engine that is away for a moment. */
export const TEMPORARY_BACKOFF: BackoffRules = { initialMs: 1_000, factor: 2, maxMs: 30_000 };

/** What an end means for the next start. Pure; called once per run, when its end is first seen. */
export function noteEnd(pod: Pod, before: ContainerSeen, run: ObservedRun, now: Now): ContainerSeen {
  const fences = (before.fences ?? 0) + (before.kill?.isFence === true ? 1 : 0);
  const ended: ContainerSeen = { ...before, run, started: false, ready: false, ...(fences === 0 ? {} : { fences }) };
  if (before.kill?.after === "restart" || before.interrupted === true) return { ...ended, retryAtMs: now.monoMs };
  const ranMs = (run.finishedAtMs ?? now.wallMs) - (run.startedAtMs ?? run.finishedAtMs ?? now.wallMs);
  const crashes = ranMs >= FORGIVEN_AFTER_MS ? 1 : before.crashes + 1;
  // An end that nobody saw at the time (the agent was down) has been waiting since it happened.
  const sinceEndMs = Math.max(0, now.wallMs - (run.finishedAtMs ?? now.wallMs));
  return { ...ended, crashes, retryAtMs: now.monoMs - sinceEndMs + restartDelayMs(pod, crashes) };
}

export interface Now {
  readonly monoMs: number;
  readonly wallMs: number;
}

/** Kubernetes restarts at once after the first crash, then waits 10 s, 20 s, …; rules of the pod's own count from the first. */
export function restartDelayMs(pod: Pod, crashes: number): number {
  const own = pod.spec.restartBackoff;
  return own === undefined ? backoffMs(DEFAULT_BACKOFF, crashes - 1) : backoffMs(own, crashes);
}

/** Whether an ended container is to run again, and why (not). `init`: it is an ordinary init container. */
export function restartVerdict(
  pod: Pod,
  container: Container,
  seen: ContainerSeen,
  init: boolean,
): { readonly again: boolean; readonly why: string } {
  const run = seen.run;
  if (seen.kill?.after === "restart") return { again: true, why: seen.kill.why };
  // The end of a unit that from now on is only to be loaded; loading it anew is no restart.
  if (isLoadOnly(container) && !isAsked(container, seen)) return { again: true, why: "to be loaded only" };
  // fleet brings its units back after a reboot whatever they were doing; a unit's own Restart= did not see the end.
  if (seen.interrupted === true && driverOf(container) === "unit") {
    return { again: true, why: "the host was restarted" };
  }
  const failed = run?.exitCode !== 0;
  if (init && !isSidecar(container) && !failed) return { again: false, why: "done" };
  const policy = isSidecar(container) ? "Always" : (pod.spec.restartPolicy ?? "Always");
  if (policy === "Never") return { again: false, why: "restart policy Never" };
  if (policy === "OnFailure" || init) {
    return failed ? { again: true, why: `${endWords(run)}, restart policy ${policy}` } : { again: false, why: "done" };
  }
  return { again: true, why: `${endWords(run)}, restart policy Always` };
}

/** `ended with exit code 1`, `was killed by signal 9`, … */
function endWords(run: ObservedRun | undefined): string {
  if (run === undefined) return "is not there";
  if (run.outOfMemory === true) return "was killed because its memory limit was reached";
  if (run.signal !== undefined) return `was killed by signal ${run.signal}`;
  if (run.exitCode !== undefined) return `ended with exit code ${run.exitCode}`;
  return run.message ?? "ended and nobody saw how";
}
