/** Which entry of an Ingress's `tls` is for which host. Pure. */
import type { Ingress } from "../ingress.ts";
import { wildcardOf } from "./host-owners.ts";

type Entry = NonNullable<Ingress["spec"]["tls"]>[number];

/**
 * One that names the host; else one whose wildcard it is below, as one certificate serves many; else one without hosts, which is for all.
 * Made once for all hosts of an Ingress: both lists may be long.
 */
export function tlsEntries({ tls = [] }: Pick<Ingress["spec"], "tls">): (host: string) => Entry | undefined {
  const byName = new Map<string, Entry>();
  for (const entry of tls)
    for (const host of entry.hosts ?? []) {
      const name = host.toLowerCase();
      if (!byName.has(name)) byName.set(name, entry);
    }
  const forAll = tls.find(({ hosts = [] }) => hosts.length === 0);
  return (host) => byName.get(host) ?? byName.get(wildcardOf(host)) ?? forAll;
}

/** Hosts of its `tls` that none of these are meant by. */
export function unusedTlsHosts(
  { tls = [] }: Pick<Ingress["spec"], "tls">,
  served: readonly string[],
): readonly string[] {
  const meant = new Set(served.flatMap((host) => [host, wildcardOf(host)]));
  const named = tls.flatMap(({ hosts = [] }) => hosts.map((host) => host.toLowerCase()));
  return [...new Set(named)].filter((host) => !meant.has(host)).sort();
}
