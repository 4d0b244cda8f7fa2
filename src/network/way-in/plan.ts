/** From all routes to what HAProxy has to know of them: maps from host and path to backends, and the backends. Pure. */
import type { RouteEntry, RouteTls } from "../../model/network.ts";
import type { LostRoute } from "../../model/way-in/contest.ts";
import { namespaceOfRoute } from "../../model/way-in/host-owners.ts";
import { routeKey } from "../../model/way-in/route-key.ts";
import { settleRoutes } from "../../model/way-in/settle-routes.ts";
import { type Backend, backendOf, closedName } from "./backend.ts";
import { certificatesOf } from "./plan-certificates.ts";

export interface WayInPlan {
  /** `host/path` → backend. */
  readonly exact: ReadonlyMap<string, string>;
  /** `host/path/` → backend: beginnings of a request's host and path with a slash at its end. */
  readonly prefix: ReadonlyMap<string, string>;
  /** The same of those that keep somebody out and cannot be served: nobody comes in (backend.ts, closedName). */
  readonly closed: Readonly<Record<"exact" | "prefix", ReadonlyMap<string, string>>>;
  readonly backends: ReadonlyMap<string, Backend>;
  /** Host → where its certificate is; sorted by host. */
  readonly certificates: ReadonlyMap<string, RouteTls>;
  /** Host, or wildcard → namespace that it belongs to. */
  readonly hosts: ReadonlyMap<string, string>;
  /** Backend, or what is closed → namespace of its route. */
  readonly backers: ReadonlyMap<string, string>;
  readonly refused: readonly LostRoute[];
}

export const NO_PLAN: WayInPlan = {
  ...{ exact: new Map(), prefix: new Map(), backends: new Map(), certificates: new Map(), refused: [] },
  ...{ hosts: new Map(), backers: new Map(), closed: { exact: new Map(), prefix: new Map() } },
};

/** `known`: backends that are the same as before are the same objects. */
export function planWayIn(all: Iterable<RouteEntry>, known: WayInPlan["backends"] = new Map()): WayInPlan {
  const { routes, closed, refused, owners } = settleRoutes(all);
  const maps = { exact: new Map<string, string>(), prefix: new Map<string, string>() };
  const shut = { exact: new Map<string, string>(), prefix: new Map<string, string>() };
  const backends = new Map<string, Backend>();
  const [hosts, backers] = [new Map<string, string>(), new Map<string, string>()];
  const place = (route: RouteEntry, to: string, into: typeof maps) => {
    backers.set(to, mapWord(namespaceOfRoute(route)));
    const owner = owners.of(route.host);
    if (owner) hosts.set(route.host, mapWord(namespaceOfRoute(owner)));
    into[route.pathType].set(routeKey(route), to);
  };
  for (const route of routes) {
    const backend = backendOf(route);
    const before = known.get(backend.name);
    if (!backends.has(backend.name)) backends.set(backend.name, before?.source === backend.source ? before : backend);
    place(route, backend.name, maps);
  }
  for (const route of closed) place(route, closedName(mapWord(namespaceOfRoute(route))), shut);
  return { ...maps, closed: shut, backends, certificates: certificatesOf(routes, owners), hosts, backers, refused };
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
