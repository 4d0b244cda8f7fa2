import type { PodReport } from "../agent/control.ts";
import { keyOf } from "../model/meta.ts";
import { AGENT_CONDITIONS, isTerminal, type Pod, type PodPhase, type PodStatus, pods } from "../model/pod.ts";
import type { Tx } from "../store/transaction.ts";
import { withBelievedAddresses } from "./believed-addresses.ts";

const RANK: Readonly<Record<PodPhase, number>> = { Pending: 0, Unknown: 0, Running: 1, Succeeded: 2, Failed: 2 };

export function writeReport(tx: Tx, { key, uid, status }: PodReport): void {
  const pod = tx.get(pods, key);
  // The report of an earlier pod of the same name.
  if (pod?.metadata.uid !== uid) return;
  if (status === "gone") {
    recordGone(tx, pod);
    return;
  }
  // Phases never go back, whatever arrives late.
  if (RANK[status.phase] < RANK[pod.status.phase]) return;
  tx.update(pods, {
    ...pod,
    metadata: { ...pod.metadata, resourceVersion: "" },
    status: withBelievedAddresses(tx, pod, withOthersConditions(pod, status)),
  });
}

/** Finalizers hold the object, not what ran: it then stays as one that is over, and goes with the last of them. */
function recordGone(tx: Tx, pod: Pod): void {
  if (pod.metadata.deletionTimestamp === undefined) return;
  if ((pod.metadata.finalizers ?? []).length === 0) tx.remove(pods, keyOf(pod));
  else if (!isTerminal(pod)) tx.update(pods, { ...pod, status: { ...pod.status, phase: "Failed", reason: "Deleted" } });
}

/**
 * Conditions of others (the scheduler's, readiness gates, a drain's) are not the agent's to lose, to take back or to bring
 * back: what it knows of them may be older.
 */
function withOthersConditions(pod: Pod, status: PodStatus): PodStatus {
  const others = (pod.status.conditions ?? []).filter(({ type }) => !AGENT_CONDITIONS.includes(type));
  const told = (status.conditions ?? []).filter(({ type }) => AGENT_CONDITIONS.includes(type));
  return withQos(pod, { ...status, conditions: [...told, ...others] });
}

function withQos(pod: Pod, status: PodStatus): PodStatus {
  const { qosClass } = pod.status;
  return qosClass === undefined || status.qosClass !== undefined ? status : { ...status, qosClass };
}
