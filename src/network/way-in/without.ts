/** What is served of a plan when not all of its backends are there. Pure. */
import { CLOSED, closedName, GUARDED } from "./backend.ts";
import type { Maps } from "./map-commands.ts";
import type { WayInPlan } from "./plan.ts";

const PLACES = ["exact", "prefix"] as const;

/**
 * `names`: those that cannot be had, or not yet. What led elsewhere `before` goes on to do so, if it was the same namespace's; but where
 * not everybody may come in, nobody does before who may is asked.
 */
export function without(plan: WayInPlan, names: ReadonlySet<string>, before: Maps = new Map()): WayInPlan {
  if (names.size === 0) return plan;
  const backends = new Map([...plan.backends].filter(([name]) => !names.has(name)));
  const backers = new Map(plan.backers);
  const led = before.get("backers");
  const inPlaceOf = (key: string, name: string, place: (typeof PLACES)[number]): string | undefined => {
    const namespace = plan.backers.get(name) ?? "-";
    const old = before.get(place)?.get(key);
    const isSame = old !== undefined && led?.get(old) === namespace && !names.has(old);
    const found = isSame && (keepsOut(old) || !keepsOut(name)) ? old : undefined;
    const to = found ?? (keepsOut(name) ? closedName(namespace) : undefined);
    if (to !== undefined) backers.set(to, namespace);
    return to;
  };
  const [open, closed] = [
    { exact: new Map<string, string>(), prefix: new Map<string, string>() },
    { exact: new Map(plan.closed.exact), prefix: new Map(plan.closed.prefix) },
  ];
  for (const place of PLACES)
    for (const [key, name] of plan[place]) {
      const to = names.has(name) ? inPlaceOf(key, name, place) : name;
      if (to !== undefined) (to.endsWith(CLOSED) ? closed : open)[place].set(key, to);
    }
  return { ...plan, ...open, closed, backends, backers };
}

function keepsOut(name: string): boolean {
  return name.endsWith(GUARDED) || name.endsWith(CLOSED);
}
