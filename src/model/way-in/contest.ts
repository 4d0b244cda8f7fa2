import type { RouteEntry } from "../network.ts";
import { parseHost } from "./host-and-path.ts";
import { HostOwners } from "./host-owners.ts";
import { routeKey } from "./route-key.ts";

export interface LostRoute {
  readonly route: RouteEntry;
  readonly words: string;
}

export interface Contest {
  /** One per host, path and type of path; sorted by them. */
  readonly routes: readonly RouteEntry[];
  readonly lost: readonly LostRoute[];
  readonly owners: HostOwners;
}

/**
 * A host is its owner's (host-owners.ts). Of two routes for the same host and path the older wins, and of two equally old ones the first
 * by id: every node, and every reader, comes to the same. `unserved`: routes that cannot be served; a host is its owner's all the same.
 */
export function settleContest(all: Iterable<RouteEntry>, unserved: Iterable<RouteEntry> = []): Contest {
  const winners = new Map<string, RouteEntry>();
  const lost: LostRoute[] = [];
  const sorted = [...all].sort(byAge);
  const claims = [...unserved].filter(({ host }) => isHost(host));
  const owners = new HostOwners([...sorted, ...claims].sort(byAge));
  for (const route of sorted) {
    const key = `${routeKey(route)} ${route.pathType}`;
    const winner = winners.get(key);
    const refusal = owners.refusal(route);
    if (refusal !== undefined) lost.push({ route, words: refusal });
    else if (winner === undefined) winners.set(key, route);
    else if (!isSame(winner, route)) lost.push({ route, words: `${winner.source} has this host and path already` });
  }
  const routes = [...winners].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, route]) => route);
  return { routes, lost, owners };
}

function isHost(host: string): boolean {
  const parsed = parseHost(host);
  return "host" in parsed && parsed.host === host;
}

/** Said twice, by two rules of one source: no contest. */
function isSame(a: RouteEntry, b: RouteEntry): boolean {
  return a.source === b.source && a.service === b.service && a.port === b.port;
}

/** Those without a time come last. */
export function byAge(a: RouteEntry, b: RouteEntry): number {
  const [x, y] = [a.since ?? "~", b.since ?? "~"];
  if (x !== y) return x < y ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** `https://example.org/shop`. Undefined for a route of every host. */
export function urlOfRoute({ host, path, tls, redirectsToHttps }: RouteEntry): string | undefined {
  if (host === "") return undefined;
  const isSecure = tls !== undefined || redirectsToHttps === true;
  return `${isSecure ? "https" : "http"}://${host}${path === "/" ? "" : path}`;
}
