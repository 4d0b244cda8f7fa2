/** From planned ways to the kernel's routes, neighbours and forwarding entries: only what differs is written. Pure. */
import { tunnelAddressOf, tunnelMacOf } from "./names.ts";
import type { PeerPlan } from "./plan.ts";

/** As `ip -j route` shows it. */
export interface Route {
  readonly dst: string;
  readonly type?: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly metric?: number;
}

/** As `ip -j neigh` shows it. */
export interface Neighbour {
  readonly dst: string;
  readonly lladdr?: string;
}

/** As `bridge -j fdb` shows it. */
export interface Forwarding {
  readonly mac: string;
  readonly dst?: string;
  readonly state?: string;
}

export interface Present {
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly forwarding: readonly Forwarding[];
}

export interface Wanted {
  readonly own: string;
  readonly peers: readonly PeerPlan[];
  readonly vxlan: string;
  readonly protocol: string;
  /** Ranges of nodes that are not to be reached, by no other route either. */
  readonly refused?: readonly string[];
}

/** Lines for `ip -batch -` and for `bridge -batch -`. */
export interface Lines {
  readonly ip: readonly string[];
  readonly bridge: readonly string[];
}

/**
 * Worse than any route to the bridge: while that is not there, packets for this node's pods are refused, and do not travel in a circle by
 * way of the default route.
 */
const LAST_METRIC = 4_278_198_272;

export function differences(wanted: Wanted, present: Present): Lines {
  const none = [wanted.own, ...(wanted.refused ?? [])].map(unreachable);
  const routes = new Map([...wanted.peers.map(routeTo), ...none].map((route) => [placeOf(route), route]));
  const known = new Map(present.routes.map((route) => [placeOf(route), route]));
  const stale = present.routes.filter((route) => !routes.has(placeOf(route)));
  const missing = [...routes].filter(([place, route]) => !isSame(route, known.get(place))).map(([, route]) => route);
  const tunnel = tunnelDifferences(wanted, present);
  return {
    // A route through a tunnel needs its neighbour; what is gone goes last, so that nothing waits for it.
    ip: [
      ...tunnel.neighbours,
      ...missing.map((route) => routeLine(route, wanted)),
      ...stale.map((route) => `route del ${route.type ?? ""} ${route.dst} proto ${wanted.protocol}`.replace("  ", " ")),
      ...tunnel.gone,
    ],
    bridge: tunnel.forwarding,
  };
}

function routeTo({ podRange, mode, address, device }: PeerPlan): Route {
  if (mode === "wireguard") return { dst: podRange, dev: device };
  return { dst: podRange, dev: device, gateway: mode === "vxlan" ? tunnelAddressOf(podRange) : address };
}

function unreachable(own: string): Route {
  return { dst: own, type: "unreachable", metric: LAST_METRIC };
}

/** A way to a range and its refusal may stand beside each other: the range that was this host's may be another's now. */
function placeOf({ dst, type }: Route): string {
  return `${type === "unicast" ? "" : (type ?? "")} ${dst}`;
}

function isSame(wanted: Route, present: Route | undefined): boolean {
  if (present === undefined) return false;
  const typeOf = ({ type }: Route) => (type === "unicast" ? undefined : type);
  if (typeOf(wanted) === "unreachable") return typeOf(present) === "unreachable";
  return typeOf(present) === undefined && present.dev === wanted.dev && present.gateway === wanted.gateway;
}

function routeLine({ dst, type, gateway, dev, metric }: Route, { protocol, vxlan, own }: Wanted): string {
  if (type !== undefined) return `route replace ${type} ${dst} metric ${metric} proto ${protocol}`;
  const via = gateway === undefined ? "" : ` via ${gateway}`;
  // The source of what the host itself sends: an address that the other end knows the way back to.
  const tunnel =
    dev === vxlan ? ` onlink src ${tunnelAddressOf(own)}` : gateway === undefined ? ` src ${tunnelAddressOf(own)}` : "";
  return `route replace ${dst}${via} dev ${dev} proto ${protocol}${tunnel}`;
}

function tunnelDifferences({ peers, vxlan }: Wanted, present: Present) {
  const wrapped = peers.filter(({ mode }) => mode === "vxlan");
  const neighbours = new Map(wrapped.map(({ podRange }) => [tunnelAddressOf(podRange), tunnelMacOf(podRange)]));
  const forwarding = new Map(wrapped.map(({ podRange, address }) => [tunnelMacOf(podRange), address]));
  const known = new Map(present.neighbours.map(({ dst, lladdr }) => [dst, lladdr]));
  const led = new Map(present.forwarding.map(({ mac, dst }) => [mac, dst]));
  return {
    neighbours: [...neighbours]
      .filter(([address, mac]) => known.get(address) !== mac)
      .map(([address, mac]) => `neigh replace ${address} lladdr ${mac} dev ${vxlan} nud permanent`),
    gone: [...known.keys()]
      .filter((address) => !neighbours.has(address))
      .map((address) => `neigh del ${address} dev ${vxlan}`),
    forwarding: [
      ...[...forwarding]
        .filter(([mac, address]) => led.get(mac) !== address)
        .map(([mac, address]) => `fdb replace ${mac} dev ${vxlan} dst ${address} self permanent`),
      ...[...led]
        .filter(([mac]) => mac.startsWith("0e:42:") && !forwarding.has(mac))
        .map(([mac, dst]) => `fdb del ${mac} dev ${vxlan}${dst === undefined ? "" : ` dst ${dst}`} self`),
    ],
  };
}
