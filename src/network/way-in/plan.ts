/** From all routes to what HAProxy has to know of them: maps from host and path to backends, and the backends. Pure. */
import type { RouteEntry, RouteTls } from "../../model/network.ts";
import { settleContest } from "../../model/way-in/contest.ts";
import { namespaceOfRoute } from "../../model/way-in/host-owners.ts";
import { routeProblem } from "../../model/way-in/route-problem.ts";
import { type Backend, backendOf } from "./backend.ts";
import { certificatesOf } from "./plan-certificates.ts";

export interface WayInPlan {
  /** `host/path` → backend. */
  readonly exact: ReadonlyMap<string, string>;
  /** `host/path/` → backend: beginnings of a request's host and path with a slash at its end. */
  readonly prefix: ReadonlyMap<string, string>;
  readonly backends: ReadonlyMap<string, Backend>;
  /** Host → where its certificate is; sorted by host. */
  readonly certificates: ReadonlyMap<string, RouteTls>;
  /** Host, or wildcard → namespace that it belongs to. */
  readonly hosts: ReadonlyMap<string, string>;
  /** Backend → namespace of its route. */
  readonly backers: ReadonlyMap<string, string>;
  readonly refused: readonly { readonly route: RouteEntry; readonly words: string }[];
}

export const NO_PLAN: WayInPlan = {
  ...{ exact: new Map(), prefix: new Map(), backends: new Map(), certificates: new Map(), refused: [] },
  ...{ hosts: new Map(), backers: new Map() },
};

export function planWayIn(all: Iterable<RouteEntry>): WayInPlan {
  const refused: { route: RouteEntry; words: string }[] = [];
  const sound: RouteEntry[] = [];
  for (const route of all) {
    const words = routeProblem(route);
    if (words === undefined) sound.push(route);
    else refused.push({ route, words });
  }
  const { routes, lost, owners } = settleContest(
    sound,
    refused.map(({ route }) => route),
  );
  refused.push(...lost);
  const [exact, prefix] = [new Map<string, string>(), new Map<string, string>()];
  const backends = new Map<string, Backend>();
  const [hosts, backers] = [new Map<string, string>(), new Map<string, string>()];
  for (const route of routes) {
    const backend = backendOf(route);
    if (!backends.has(backend.name)) backends.set(backend.name, backend);
    backers.set(backend.name, mapWord(namespaceOfRoute(route)));
    const owner = owners.of(route.host);
    if (owner) hosts.set(route.host, mapWord(namespaceOfRoute(owner)));
    if (route.pathType === "exact") exact.set(route.host + route.path, backend.name);
    else prefix.set(`${route.host}${route.path === "/" ? "" : route.path}/`, backend.name);
  }
  const certificates = certificatesOf(routes, owners);
  return { exact, prefix, backends, certificates, hosts, backers, refused };
}

/** What is left when these backends cannot be had. */
export function without(plan: WayInPlan, names: ReadonlySet<string>): WayInPlan {
  if (names.size === 0) return plan;
  const kept = (map: ReadonlyMap<string, string>) => new Map([...map].filter(([, name]) => !names.has(name)));
  const backends = new Map([...plan.backends].filter(([name]) => !names.has(name)));
  return { ...plan, exact: kept(plan.exact), prefix: kept(plan.prefix), backends };
}

/** Hosts of which something that is wanted is not served. */
export function lateHosts(wanted: WayInPlan, served: WayInPlan): ReadonlySet<string> {
  const late = (["exact", "prefix"] as const).flatMap((map) =>
    [...wanted[map]].filter(([key, backend]) => served[map].get(key) !== backend),
  );
  return new Set(late.map(([key]) => key.slice(0, key.indexOf("/"))));
}

/** A namespace as one word of a map. */
function mapWord(namespace: string): string {
  return namespace.replaceAll(/[^A-Za-z0-9._-]/g, "-") || "-";
}
