/** How many of the nodes, and of each zone, have fallen silent lately. Pure. */
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import { isAway, isSilent, type Lease, lapseMs } from "./lease.ts";

/** Of the whole cluster (`zone` undefined), or of one zone. */
export interface Silence {
  readonly zone: string | undefined;
  /** Nodes that were alive when the window began, sorted. */
  readonly members: readonly string[];
  /** Those of them that are silent now. */
  readonly silent: readonly string[];
}

/**
 * Nodes that never lived (anybody may write a Node object), that said goodbye, that a person has given up, or that have
 * been unreachable since before the window count neither here nor there. A cluster of one zone has no zones. Sorted by zone, the cluster first.
 */
export function silences(leases: Iterable<Lease>, nowMs: number, settings: ClusterSettingsSpec): readonly Silence[] {
  const counted = [...leases].filter((lease) => counts(lease, nowMs, settings));
  return byZone(counted, (lease) => isSilent(lease, nowMs, settings) || isUnheard(lease, settings));
}

export function byZone(counted: readonly Lease[], isQuiet: (lease: Lease) => boolean): readonly Silence[] {
  const zones = new Set(counted.map(({ zone }) => zone));
  const named = zones.size > 1 ? [...zones].filter((zone) => zone !== undefined).sort() : [];
  return [undefined, ...named].map((zone) => {
    const members = zone === undefined ? counted : counted.filter((lease) => lease.zone === zone);
    return { zone, members: namesOf(members), silent: namesOf(members.filter(isQuiet)) };
  });
}

/** As long as a silent one, and only a grace keeps it from being one: graces may end at different times. */
function isUnheard({ unheardMs }: Lease, { unreachableAfterMs, suspectAfterMs }: ClusterSettingsSpec): boolean {
  return unheardMs >= unreachableAfterMs - suspectAfterMs;
}

function namesOf(leases: readonly Lease[]): readonly string[] {
  return leases.map(({ node }) => node).sort();
}

function counts(lease: Lease, nowMs: number, settings: ClusterSettingsSpec): boolean {
  if (!lease.hasLived || lease.released || isAway(lease, nowMs)) return false;
  const fellMs = lease.loss?.sinceMs ?? lapseMs(lease, settings);
  return fellMs > nowMs - settings.brakeWindowMs;
}

/** So many that the fault is more likely ours than theirs. */
export function isMass(silent: number, of: number, { brakeShare, brakeAtLeast }: ClusterSettingsSpec): boolean {
  return silent >= brakeAtLeast && silent > brakeShare * of;
}
