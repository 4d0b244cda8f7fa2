/** From all routes to what HAProxy has to know of them: maps from host and path to backends, and the backends. Pure. */
import type { RouteEntry, RouteTls } from "../../model/network.ts";
import { settleContest } from "../../model/way-in/contest.ts";
import { routeProblem } from "../../model/way-in/route-problem.ts";
import { type Backend, backendOf } from "./backend.ts";

export interface WayInPlan {
  /** `host/path` → backend. */
  readonly exact: ReadonlyMap<string, string>;
  /** `host/path/` → backend: beginnings of a request's host and path with a slash at its end. */
  readonly prefix: ReadonlyMap<string, string>;
  readonly backends: ReadonlyMap<string, Backend>;
  /** Host → where its certificate is; sorted by host. */
  readonly certificates: ReadonlyMap<string, RouteTls>;
  readonly refused: readonly { readonly route: RouteEntry; readonly words: string }[];
}

export function planWayIn(all: Iterable<RouteEntry>): WayInPlan {
  const refused: { route: RouteEntry; words: string }[] = [];
  const sound: RouteEntry[] = [];
  for (const route of all) {
    const words = routeProblem(route);
    if (words === undefined) sound.push(route);
    else refused.push({ route, words });
  }
  const { routes, lost } = settleContest(sound);
  for (const { route, winner } of lost)
    refused.push({ route, words: `${winner.source} has this host and path already` });
  const [exact, prefix] = [new Map<string, string>(), new Map<string, string>()];
  const backends = new Map<string, Backend>();
  for (const route of routes) {
    const backend = backendOf(route);
    if (!backends.has(backend.name)) backends.set(backend.name, backend);
    if (route.pathType === "exact") exact.set(route.host + route.path, backend.name);
    else prefix.set(`${route.host}${route.path === "/" ? "" : route.path}/`, backend.name);
  }
  return { exact, prefix, backends, certificates: certificatesOf(routes), refused };
}

/** One certificate per host: of several routes' the first that has one at hand. */
function certificatesOf(routes: readonly RouteEntry[]): ReadonlyMap<string, RouteTls> {
  const found = new Map<string, RouteTls>();
  for (const { host, tls } of routes) {
    if (host === "" || tls === undefined) continue;
    const before = found.get(host);
    if (before === undefined || ("acme" in before && !("acme" in tls))) found.set(host, tls);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
