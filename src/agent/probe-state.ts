import type { HealthCheck, HealthResult, Probe } from "../model/pod.ts";
import { rfc3339 } from "../seams/clock.ts";

/** What one try of a probe said. `neutral` leaves everything as it was. */
export interface ProbeAnswer {
  readonly verdict: "success" | "failure" | "neutral";
  readonly words: string;
}

/** One probe's memory within one run of its container. */
export interface ProbeTrack {
  readonly successes: number;
  readonly failures: number;
  /** Undefined until a threshold was reached. */
  readonly passing?: boolean;
}

export const NEW_TRACK: ProbeTrack = { successes: 0, failures: 0 };

/** Kubernetes' thresholds: `successThreshold` (1) and `failureThreshold` (3) answers in a row. */
export function judgeProbe(track: ProbeTrack, probe: Probe, answer: ProbeAnswer): ProbeTrack {
  if (answer.verdict === "neutral") return track;
  const well = answer.verdict === "success";
  const successes = well ? track.successes + 1 : 0;
  const failures = well ? 0 : track.failures + 1;
  const decided = well ? successes >= (probe.successThreshold ?? 1) : failures >= (probe.failureThreshold ?? 3);
  if (decided) return { successes, failures, passing: well };
  return { successes, failures, ...(track.passing === undefined ? {} : { passing: track.passing }) };
}

/**
 * Marathon's rules (HealthCheckActor): failures before the first success do not count until `graceSeconds` after the
 * start, and the comparison is with the count before this failure, so that the kill comes on failure
 * `killAfterFailures` + 1.
 */
export function judgeHealth(
  before: HealthResult | undefined,
  check: HealthCheck,
  answer: ProbeAnswer,
  now: { readonly wallMs: number; readonly sinceStartMs: number },
): { readonly result: HealthResult; readonly kill: boolean } {
  const known: HealthResult = before ?? { alive: false, consecutiveFailures: 0 };
  const at = rfc3339(now.wallMs);
  if (answer.verdict === "neutral") return { result: known, kill: false };
  if (answer.verdict === "success") {
    if (known.alive && isRecent(known.lastSuccess, now.wallMs)) return { result: known, kill: false };
    const firstSuccess = known.firstSuccess ?? at;
    return { result: { ...known, alive: true, consecutiveFailures: 0, firstSuccess, lastSuccess: at }, kill: false };
  }
  if (known.firstSuccess === undefined && now.sinceStartMs < check.graceSeconds * 1000) {
    return { result: known, kill: false };
  }
  return {
    result: {
      ...known,
      alive: false,
      consecutiveFailures: known.consecutiveFailures + 1,
      lastFailure: at,
      lastFailureCause: answer.words,
    },
    kill: check.killAfterFailures > 0 && known.consecutiveFailures >= check.killAfterFailures,
  };
}

/** A check that keeps succeeding is written down once in a while only: every report is a write to the store. */
const SUCCESS_NEWS_MS = 60_000;

function isRecent(at: string | undefined, wallMs: number): boolean {
  return at !== undefined && wallMs - Date.parse(at) < SUCCESS_NEWS_MS;
}
