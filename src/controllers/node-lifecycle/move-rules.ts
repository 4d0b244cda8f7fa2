/** Which pods of an unreachable node are replaced, and when. Pure. */
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import { disruptionOf } from "../../model/disruption.ts";
import { controllerOf, keyOf } from "../../model/meta.ts";
import { isTerminal, type Pod } from "../../model/pod.ts";
import { isExclusive, unreachableRuleOf } from "../../model/when-unreachable.ts";
import { giveAwayMs, isTakenDown, type Lease, type Loss } from "./lease.ts";
import type { Move } from "./move-queue.ts";

export interface MoveTerms {
  readonly settings: ClusterSettingsSpec;
  /** No exclusive pod is given away before. */
  readonly floorMs: number;
}

/** Undefined: it stays as it is. */
export function moveOf(pod: Pod, lease: Lease, loss: Loss, terms: MoveTerms): Move | undefined {
  const askedMs = moveDueMs(pod, lease, loss, terms);
  if (askedMs === undefined) return undefined;
  const dueMs = Math.max(askedMs, lease.graceMs);
  const { uid } = pod.metadata;
  const workload = controllerOf(pod)?.uid ?? uid;
  return { node: lease.node, key: keyOf(pod), uid, workload, dueMs, exclusive: isExclusive(pod) };
}

function moveDueMs(pod: Pod, lease: Lease, loss: Loss, { settings, floorMs }: MoveTerms): number | undefined {
  if (isTerminal(pod) || isLostAlready(pod)) return undefined;
  const isGoing = pod.metadata.deletionTimestamp !== undefined;
  // On its way out: only an exclusive one holds up its successor, and that by being there.
  if (isGoing) return isExclusive(pod) ? exclusiveDueMs(lease, loss, settings, floorMs) : undefined;
  // Nobody would make another: it goes on when its node is back.
  if (controllerOf(pod) === undefined) return undefined;
  const rule = unreachableRuleOf(pod);
  if (rule.action === "keep") return undefined;
  const askedMs = loss.sinceMs + rule.afterMs;
  // What ran there is stopped by now: it does not come back.
  if (isTakenDown(lease)) return isExclusive(pod) ? exclusiveDueMs(lease, loss, settings, floorMs) : loss.sinceMs;
  return isExclusive(pod) ? Math.max(askedMs, exclusiveDueMs(lease, loss, settings, floorMs)) : askedMs;
}

function exclusiveDueMs(lease: Lease, loss: Loss, settings: ClusterSettingsSpec, floorMs: number): number {
  return Math.max(loss.sinceMs, giveAwayMs(lease, settings, floorMs));
}

/** It was replaced because its node was lost. */
export function isLostAlready(pod: Pod): boolean {
  return disruptionOf(pod)?.reason === "NodeUnreachable";
}

/** Another may be running in the place of this exclusive pod. */
export function isGivenAway(pod: Pod): boolean {
  return isExclusive(pod) && isLostAlready(pod);
}

/** Asked to go, on a node that cannot say that it is gone: after its grace it is forgotten, an exclusive one once it was given away. */
export function forgetAtMs(pod: Pod): number | undefined {
  const { deletionTimestamp } = pod.metadata;
  if (deletionTimestamp === undefined) return undefined;
  return isExclusive(pod) && !isTerminal(pod) && !isLostAlready(pod) ? undefined : Date.parse(deletionTimestamp);
}
