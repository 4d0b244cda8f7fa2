/** What a node's object says of it, taken into the lease that this control plane begins. Pure but for that record. */
import { type ClusterSettingsSpec, DEFAULT_CLUSTER_SETTINGS } from "../../model/cluster-settings.ts";
import type { Node } from "../../model/node.ts";
import { type Away, leftMs } from "./away-mark.ts";
import { type Lease, restOfGrace } from "./lease.ts";
import { heldSinceMs } from "./node-marks.ts";
import { isReleased, unheardMs, unreachableForMs } from "./node-notes.ts";

/** The same moment by both clocks, and what goes for it. */
export interface Now {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly settings: ClusterSettingsSpec;
}

/** How silent it was to the control planes before us. */
export function recallSilence(lease: Lease, node: Node, { nowMs, wallMs, settings }: Now): void {
  lease.released = isReleased(node);
  lease.unheardMs = unheardMs(node);
  const heldMs = heldSinceMs(node);
  if (heldMs !== undefined) lease.quietMs = nowMs - Math.max(0, wallMs - heldMs);
  const { startGraceMs, unreachableAfterMs } = settings;
  if (lease.unheardMs > 0) lease.graceMs = nowMs + restOfGrace(lease, startGraceMs, unreachableAfterMs);
}

/** It was given up. `sinceMs`: in wall time. */
export function recallLoss(lease: Lease, node: Node, sinceMs: number, { nowMs, wallMs, settings }: Now): void {
  const passedMs = wallMs - sinceMs;
  const forMs = unreachableForMs(node, wallMs, passedMs);
  lease.loss = { sinceMs: nowMs - forMs };
  lease.quietMs = nowMs - Math.max(0, passedMs);
  lease.unheardMs = Math.max(lease.unheardMs, forMs);
  const { startGraceMs, unreachableAfterMs } = settings;
  lease.graceMs = nowMs + restOfGrace(lease, startGraceMs, unreachableAfterMs);
}

/** It said goodbye to the control plane before us, and is still given time for that: then true. */
export function recallAway(lease: Lease, away: Away, { nowMs, wallMs, settings }: Now): boolean {
  // As long as it was promised, and not for ever by a wall clock that went back; a setting made shorter takes nothing back.
  const { rebootGraceMs } = settings;
  const mostMs = Math.max(rebootGraceMs, DEFAULT_CLUSTER_SETTINGS.rebootGraceMs);
  const restMs = Math.min(leftMs(away, wallMs), mostMs);
  if (restMs <= 0) return false;
  const sinceMs = Math.min(nowMs, nowMs + restMs - rebootGraceMs);
  lease.leaving = { goodbye: { node: lease.node, session: "", why: away.why }, sinceMs };
  lease.graceMs = Math.max(lease.graceMs, nowMs + restMs);
  return true;
}
