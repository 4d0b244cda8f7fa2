import type { RouteEntry, RouteTls } from "../../model/network.ts";
import { byAge } from "../../model/way-in/contest.ts";
import { type HostOwners, namespaceOfRoute } from "../../model/way-in/host-owners.ts";

/** One certificate per host: its owner's oldest that is at hand. Another's is shown only if the owner has none and lets him in. */
export function certificatesOf(routes: readonly RouteEntry[], owners: HostOwners): ReadonlyMap<string, RouteTls> {
  const secured = routes.filter(({ host, tls }) => host !== "" && tls !== undefined);
  const hosts = Map.groupBy(secured, ({ host }) => host);
  const chosen = [...hosts].map(([host, all]) => {
    const owner = owners.of(host);
    const own = all.filter((route) => owner && namespaceOfRoute(route) === namespaceOfRoute(owner));
    const candidates = (own.length > 0 ? own : all).toSorted(byAge).flatMap(({ tls }) => tls ?? []);
    return [host, candidates.find((tls) => !("acme" in tls)) ?? candidates[0]] as const;
  });
  return new Map(
    chosen.flatMap(([host, tls]) => (tls ? [[host, tls] as const] : [])).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
