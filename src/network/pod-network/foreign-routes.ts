/** Routes of this host that are somebody else's: what another node's pod range must not take. Pure. */
import { formatAddress, holds, overlaps, parseAddress, parseSubnet, type Subnet } from "../../lib/subnet.ts";
import type { NetNames } from "./names.ts";

/** As `ip -j -4 route show` has it. */
export interface RouteRow {
  readonly dst: string;
  readonly dev?: string;
  readonly gateway?: string;
  readonly protocol?: string;
}

export interface ForeignRoute {
  readonly destination: Subnet;
  readonly device: string;
  readonly gateway?: string;
}

const EVERYTHING = "0.0.0.0/0";

/** `own`: this node's pod range, which the bridge has, or the loopback for it. */
export function foreignRoutes(rows: readonly RouteRow[], names: NetNames, own: string): readonly ForeignRoute[] {
  const ours = new Set([names.bridge, names.vxlan, names.wireguard]);
  return rows.flatMap(({ dst, dev, gateway, protocol }) => {
    const destination = parseSubnet(dst === "default" ? EVERYTHING : dst.includes("/") ? dst : `${dst}/32`);
    if (destination === undefined || dev === undefined) return [];
    if (protocol === names.protocol || dst === own || ours.has(dev)) return [];
    return [{ destination, device: dev, ...(gateway === undefined ? {} : { gateway }) }];
  });
}

/** What a route to another node's pods must not take. */
export interface Taken {
  readonly own: Subnet | undefined;
  readonly foreign: readonly ForeignRoute[];
  /** Sorted. */
  readonly hosts: readonly number[];
}

/** Looked through for every node, so read once. `hosts`: addresses of all nodes and servers. */
export function takenBy(own: string | undefined, foreign: readonly ForeignRoute[], hosts: readonly string[]): Taken {
  const values = new Set(hosts.map(parseAddress).filter((value) => value !== undefined));
  return { own: parseSubnet(own ?? ""), foreign, hosts: [...values].sort((a, b) => a - b) };
}

/** Why no route may lead to another node's `podRange`, in words. */
export function rangeClash(podRange: string, { own, foreign, hosts }: Taken): string | undefined {
  const range = parseSubnet(podRange);
  if (range === undefined) return "it is no IPv4 range";
  if (own && overlaps(own, range)) return `${own.text} is this node's own`;
  const link = foreign.find(({ destination, gateway }) => gateway === undefined && overlaps(destination, range));
  if (link) return `${link.destination.text} is what this host reaches on ${link.device} itself`;
  // The same destination would be replaced; a narrower one goes on leading where it leads.
  const same = foreign.find(({ destination }) => destination.text === range.text);
  if (same) return `this host has another route to it, on ${same.device}`;
  const gateway = foreign.find((route) => route.gateway !== undefined && holds(range, route.gateway))?.gateway;
  if (gateway !== undefined) return `${gateway} in it is a gateway of this host`;
  const host = firstWithin(hosts, range);
  return host === undefined ? undefined : `${formatAddress(host)} in it is a host of the cluster`;
}

/** By a gateway. */
export function isRouted({ gateway }: ForeignRoute): boolean {
  return gateway !== undefined;
}

/** Of numbers in order: by halves, as there may be ten thousand. */
function firstWithin(sorted: readonly number[], { first, last }: Subnet): number | undefined {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < first) low = middle + 1;
    else high = middle;
  }
  const found = sorted[low];
  return found !== undefined && found <= last ? found : undefined;
}
