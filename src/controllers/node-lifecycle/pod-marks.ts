/** What becomes of pods with their node, inside a transaction that has decided it. */
import { withDisruption, withoutDisruption } from "../../model/disruption.ts";
import { keyOf } from "../../model/meta.ts";
import { NODE_LOST } from "../../model/node-state.ts";
import { type Condition, isTerminal, type Pod, pods } from "../../model/pod.ts";
import { rfc3339 } from "../../seams/clock.ts";
import { deletePod } from "../../store/delete-pod.ts";
import { recordEvent } from "../../store/record-event.ts";
import type { Tx } from "../../store/transaction.ts";
import { isGivenAway, isLostAlready } from "./move-rules.ts";

const COMPONENT = "node-lifecycle";

/** Nobody knows whether it runs: no traffic for it. Its agent says anew how it is when it is back. */
export function markNotReady(tx: Tx, pod: Pod, node: string): void {
  const before = pod.status.conditions?.find(({ type }) => type === "Ready");
  if (isTerminal(pod) || before?.reason === NODE_LOST) return;
  const since = before?.status === "False" ? before.lastTransitionTime : undefined;
  const ready: Condition = {
    type: "Ready",
    status: "False",
    reason: NODE_LOST,
    message: `node ${node} is unreachable`,
    lastTransitionTime: since ?? rfc3339(tx.nowMs),
  };
  const others = (pod.status.conditions ?? []).filter(({ type }) => type !== "Ready");
  tx.update(pods, { ...pod, status: { ...pod.status, conditions: [...others, ready] } });
}

/** Its controller makes another. */
export function disrupt(tx: Tx, pod: Pod, node: string, silentWords: string): void {
  const message = `node ${node} has been ${silentWords}`;
  tx.update(pods, withDisruption(pod, "NodeUnreachable", message, tx.nowMs));
  const next = pod.metadata.deletionTimestamp === undefined ? "another copy is made" : "it is no longer waited for";
  const happening = { type: "Warning", reason: "NodeUnreachable", message: `${message}: ${next}` } as const;
  recordEvent(tx, pod, { ...happening, component: COMPONENT });
}

/** The node is back; a copy of an exclusive pod may be running elsewhere, so this one goes for good. */
export function deleteGivenAway(tx: Tx, pod: Pod): void {
  if (!isGivenAway(pod) || isTerminal(pod) || pod.metadata.deletionTimestamp !== undefined) return;
  deletePod(tx, pod);
  const message = "its node is back, but its place was given away: at most one copy may run";
  recordEvent(tx, pod, { type: "Normal", reason: "GivenAway", message, component: COMPONENT });
}

/** Counts as a copy again, once its agent has told how it is, or `anyway`. False: not yet. */
export function takeBack(tx: Tx, pod: Pod, anyway: boolean): boolean {
  if (!isLostAlready(pod) || isTerminal(pod) || isGivenAway(pod)) return true;
  const told = pod.status.conditions?.some(({ type, reason }) => type === "Ready" && reason !== NODE_LOST) ?? false;
  if (!told && !anyway) return false;
  tx.update(pods, withoutDisruption(pod, tx.nowMs, true));
  return true;
}

/** Takes it out of the store although nobody said that it has stopped. Finalizers hold the object, as one that is over. */
export function forgetPod(tx: Tx, pod: Pod, why: string): void {
  recordEvent(tx, pod, { type: "Warning", reason: "Forgotten", message: why, component: COMPONENT });
  if ((pod.metadata.finalizers ?? []).length === 0) {
    tx.remove(pods, keyOf(pod));
    return;
  }
  const { deletionTimestamp = rfc3339(tx.nowMs) } = pod.metadata;
  const metadata = { ...pod.metadata, deletionTimestamp };
  tx.update(pods, { ...pod, metadata, status: { ...pod.status, phase: "Failed", reason: "Forgotten", message: why } });
}
