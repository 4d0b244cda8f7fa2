/** Which pods go first when there are too many: those whose loss costs least. Source: pkg/controller/controller_utils.go, ActivePodsWithRanks. */
import { hasReturned } from "../model/disruption.ts";
import { isReady, type Pod } from "../model/pod.ts";

const COST_ANNOTATION = "controller.kubernetes.io/pod-deletion-cost";
const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** First to go first. Ties go by name, so that a replay deletes the same pods. */
export function scaleDownOrder(active: readonly Pod[], nowMs: number): readonly Pod[] {
  const perNode = new Map<string, number>();
  for (const { spec } of active) {
    if (spec.nodeName) perNode.set(spec.nodeName, (perNode.get(spec.nodeName) ?? 0) + 1);
  }
  const ranked = active.map((pod) => ({ pod, rank: rankOf(pod, perNode, nowMs) }));
  ranked.sort((a, b) => compareRanks(a.rank, b.rank) || (a.pod.metadata.name < b.pod.metadata.name ? -1 : 1));
  return ranked.map(({ pod }) => pod);
}

/** Numbers to compare in turn; the smaller goes first. */
function rankOf(pod: Pod, perNode: ReadonlyMap<string, number>, nowMs: number): readonly number[] {
  const { nodeName } = pod.spec;
  const ready = isReady(pod);
  const returned = hasReturned(pod);
  const age = ageBucket(nowMs - Date.parse(pod.metadata.creationTimestamp));
  return [
    nodeName ? 1 : 0,
    PHASE_ORDER[pod.status.phase] ?? 2,
    ready ? 1 : 0,
    // Its successor has taken over; and of several that are back, the one that was lost first goes first.
    returned ? 0 : 1,
    returned ? -age : 0,
    deletionCost(pod),
    // More copies on one node: that node gives one up first.
    -(nodeName ? (perNode.get(nodeName) ?? 0) : 0),
    ready ? ageBucket(nowMs - (readySinceMs(pod) ?? nowMs)) : 0,
    -restarts(pod),
    age,
  ];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < a.length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Powers of two of seconds: pods that are about as old are equals, and something else decides. */
function ageBucket(ageMs: number): number {
  return Math.floor(Math.log2(Math.max(1, ageMs / 1000)));
}

function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.[COST_ANNOTATION] ?? "0";
  return /^-?\d{1,10}$/.test(text) ? Number(text) : 0;
}

function restarts({ status }: Pod): number {
  return Math.max(0, ...(status.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}

/** When the pod last became ready, in milliseconds since the epoch; undefined when it is not, or nobody wrote it down. */
export function readySinceMs({ status }: Pod): number | undefined {
  const condition = status.conditions?.find(({ type, status }) => type === "Ready" && status === "True");
  return condition?.lastTransitionTime === undefined ? undefined : Date.parse(condition.lastTransitionTime);
}
