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
 * go before healthy ones, and those that came back before those that took their place. With `groupOf` from the largest
 * group, so that the rest stays spread; but while there are some that serve nobody, from their groups.
 */
export function killOrder(
  instances: readonly Instance[],
  selection: KillSelection,
  count: number,
  groupOf?: (instance: Instance) => string,
): readonly Instance[] {
  const isAfterReturn = instances.some(({ hasReturned }) => hasReturned);
  const byAge = selection === "YOUNGEST_FIRST" ? -1 : 1;
  const loss = ({ condition, isHealthy }: Instance) => 2 * WEIGHT[condition] + Number(isAfterReturn && isHealthy);
  const left = instances.toSorted(
    (a, b) =>
      loss(a) - loss(b) ||
      Number(b.hasReturned) - Number(a.hasReturned) ||
      byAge * (a.stagedAtMs - b.stagedAtMs) ||
      (a.taskId < b.taskId ? -1 : 1),
  );
  if (count <= 0) return [];
  if (!groupOf) return left.slice(0, count);
  const chosen: Instance[] = [];
  for (let [first] = left; first && chosen.length < count; [first] = left) {
    const least = loss(first);
    const cheapest = left.filter((instance) => loss(instance) === least);
    const largest = largestGroup(cheapest, left, groupOf);
    const at = left.findIndex((instance) => groupOf(instance) === largest);
    chosen.push(...left.splice(at, 1));
  }
  return chosen;
}

/** Of the groups that some of these are in; counted over all. Ties by name. */
function largestGroup(
  some: readonly Instance[],
  all: readonly Instance[],
  groupOf: (instance: Instance) => string,
): string {
  const sizes = Map.groupBy(all, groupOf);
  const [largest = ""] = [...new Set(some.map(groupOf))].sort(
    (a, b) => (sizes.get(b)?.length ?? 0) - (sizes.get(a)?.length ?? 0) || (a < b ? -1 : 1),
  );
  return largest;
}
