/**
 * Pods that are to be replaced although nobody deleted them: their node is lost, drained, or too full. Kubernetes' name
 * for it is the condition DisruptionTarget. A pod that has it does not count towards the copies its controller keeps, so
 * the controller makes another; who set the condition decides when the pod itself goes.
 */
import { rfc3339 } from "../seams/clock.ts";
import { type Condition, isLive, isTerminal, type Pod } from "./pod.ts";
import { isExclusive } from "./when-unreachable.ts";

export const DISRUPTION_TARGET = "DisruptionTarget";

/** NodeUnreachable: its node has been silent for too long. Drain, Rebalance: it runs on until its successor is ready. */
export type DisruptionReason = "NodeUnreachable" | "Drain" | "Rebalance";
/** The reason when it is over: the condition stays, with status False, so that a surplus goes from where it was lost. */
export const NODE_RETURNED = "NodeReturned";

export function disruptionOf(pod: Pod): Condition | undefined {
  return pod.status.conditions?.find(({ type, status }) => type === DISRUPTION_TARGET && status === "True");
}

export function isDisrupted(pod: Pod): boolean {
  return disruptionOf(pod) !== undefined;
}

/** It was lost with its node and came back with it. */
export function hasReturned(pod: Pod): boolean {
  return (
    pod.status.conditions?.some(
      ({ type, status, reason }) => type === DISRUPTION_TARGET && status === "False" && reason === NODE_RETURNED,
    ) ?? false
  );
}

/** Counts towards the copies that its controller keeps. */
export function isActive(pod: Pod): boolean {
  return isLive(pod) && !isDisrupted(pod);
}

/**
 * Whether a copy of which there may be one only is still somewhere, or may be: also while it is being stopped. One that
 * was given away with its lost node is not: its agent has stopped it by then. That goes for copies that are exclusive
 * themselves: one that was made before its workload became so runs on where nobody sees it.
 */
export function holdsItsPlace(pod: Pod): boolean {
  return !isTerminal(pod) && !(isExclusive(pod) && disruptionOf(pod)?.reason === "NodeUnreachable");
}

export function withDisruption(pod: Pod, reason: DisruptionReason, message: string, nowMs: number): Pod {
  return withCondition(pod, { type: DISRUPTION_TARGET, status: "True", reason, message }, nowMs);
}

/** `returned`: with its node. Otherwise the disruption was called off, and nothing of it is left. */
export function withoutDisruption(pod: Pod, nowMs: number, returned: boolean): Pod {
  if (!isDisrupted(pod)) return pod;
  if (!returned) return { ...pod, status: { ...pod.status, conditions: others(pod) } };
  const message = "its node is back";
  return withCondition(pod, { type: DISRUPTION_TARGET, status: "False", reason: NODE_RETURNED, message }, nowMs);
}

function withCondition(pod: Pod, condition: Condition, nowMs: number): Pod {
  const conditions = [...others(pod), { ...condition, lastTransitionTime: rfc3339(nowMs) }];
  return { ...pod, status: { ...pod.status, conditions } };
}

function others(pod: Pod): readonly Condition[] {
  return (pod.status.conditions ?? []).filter(({ type }) => type !== DISRUPTION_TARGET);
}
