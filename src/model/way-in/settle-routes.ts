import type { RouteEntry } from "../network.ts";
import { type Contest, type LostRoute, settleContest } from "./contest.ts";
import { keepsOut } from "./protection.ts";
import { placeProblem, routeProblem } from "./route-problem.ts";

export interface SettledRoutes extends Pick<Contest, "routes" | "owners"> {
  /** Nobody comes in there: what would keep somebody out cannot be done, and the path is not left to the route above it. */
  readonly closed: readonly RouteEntry[];
  /** All that are not served, and why. */
  readonly refused: readonly LostRoute[];
}

/** What becomes of all routes: every node, and every reader, comes to the same. */
export function settleRoutes(all: Iterable<RouteEntry>): SettledRoutes {
  const problems = new Map<RouteEntry, string>();
  const [contestants, others]: [RouteEntry[], RouteEntry[]] = [[], []];
  for (const route of all) {
    const problem = routeProblem(route);
    if (problem !== undefined) problems.set(route, problem);
    const hasPlace = problem === undefined || (keepsOut(route) && placeProblem(route) === undefined);
    (hasPlace ? contestants : others).push(route);
  }
  const { routes, lost, owners } = settleContest(contestants, others);
  return {
    owners,
    routes: routes.filter((route) => !problems.has(route)),
    closed: routes.filter((route) => problems.has(route)),
    refused: [
      ...[...problems].map(([route, words]) => ({ route, words })),
      ...lost.filter(({ route }) => !problems.has(route)),
    ],
  };
}
