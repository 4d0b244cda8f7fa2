import type { KillSelection } from "./app-definition.ts";
import type { Instance, InstanceCondition } from "./instance.ts";

/** What costs its user least goes first (ScalingProposition.scala). */
const WEIGHT: Readonly<Record<InstanceCondition, number>> = {
  Scheduled: 0,
  Unreachable: 1,
  UnreachableInactive: 1,
  Staging: 2,
  Running: 4,
  Killing: 5,
  Gone: 5,
  Ended: 5,
};

/**
 * The `count` instances to take away, by condition and then age. Once some have come back with their nodes, unhealthy ones
 * go before healthy ones, and those that came back before those that took their place. With `groupOf` always from the
 * largest group, so that the rest stays spread.
 */
export function killOrder(
  instances: readonly Instance[],
  selection: KillSelection,
  count: number,
  groupOf?: (instance: Instance) => string,
): readonly Instance[] {
  const isAfterReturn = instances.some(({ hasReturned }) => hasReturned);
  const byAge = selection === "YOUNGEST_FIRST" ? -1 : 1;
  const left = instances.toSorted(
    (a, b) =>
      WEIGHT[a.condition] - WEIGHT[b.condition] ||
      (isAfterReturn ? Number(a.isHealthy) - Number(b.isHealthy) : 0) ||
      Number(b.hasReturned) - Number(a.hasReturned) ||
      byAge * (a.stagedAtMs - b.stagedAtMs) ||
      (a.taskId < b.taskId ? -1 : 1),
  );
  if (count <= 0) return [];
  if (!groupOf) return left.slice(0, count);
  const chosen: Instance[] = [];
  while (chosen.length < count && left.length > 0) {
    const largest = largestGroup(left, groupOf);
    const at = left.findIndex((instance) => groupOf(instance) === largest);
    chosen.push(...left.splice(at, 1));
  }
  return chosen;
}

/** Ties by name. */
function largestGroup(instances: readonly Instance[], groupOf: (instance: Instance) => string): string {
  const sizes = Map.groupBy(instances, groupOf);
  const [largest = ""] = [...sizes.keys()].sort(
    (a, b) => (sizes.get(b)?.length ?? 0) - (sizes.get(a)?.length ?? 0) || (a < b ? -1 : 1),
  );
  return largest;
}
