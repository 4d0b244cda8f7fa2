/**
 * What a Service means on one node, before it is written as rules of any kind: for each of its ports, who answers at its cluster
 * addresses and who at the node's own. Pure: nodes that were told the same and stand at the same place decide the same.
 */
import { isIPv4 } from "node:net";
import type { EndpointEntry, EndpointsEntry, Protocol, ServiceEntry, ServicePortEntry } from "../../model/network.ts";
import { endpointTier } from "../plane/endpoint-tier.ts";

/** From where a node looks at the cluster. */
export interface Place {
  readonly node: string;
  readonly zone?: string;
  readonly lostNodes: ReadonlySet<string>;
}

export interface Target {
  readonly address: string;
  readonly port: number;
  /** On this node. */
  readonly isHere: boolean;
  /** Nobody said on which node, as of endpoints that a person wrote: it may be a pod of this one. */
  readonly isAnywhere?: true;
}

export interface PortPlan {
  /** `default/web:http/tcp`. */
  readonly id: string;
  readonly protocol: Protocol;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly nodePort?: number;
  /** Who takes new connections to the cluster addresses. */
  readonly inside: readonly Target[];
  /** Who takes those to this node's own addresses. */
  readonly outside: readonly Target[];
  /** What comes from outside stays on this node, with the client's address. */
  readonly isOutsideLocal: boolean;
  readonly affinitySeconds?: number;
  /** Addresses of endpoints whose flows go on, whether they take new ones or not. */
  readonly keeps: readonly string[];
}

export interface ServicePlan {
  readonly id: string;
  readonly ports: readonly PortPlan[];
}

interface Candidate extends Target {
  readonly tier: number;
  readonly isLost: boolean;
  readonly zone: string | undefined;
  readonly isWaiting: boolean;
}

export function planService(service: ServiceEntry, slices: readonly EndpointsEntry[], place: Place): ServicePlan {
  const isServed = ({ nodePort }: ServicePortEntry) => service.addresses.length > 0 || nodePort !== undefined;
  const ports = service.ports.filter(isServed).map((port) => planPort(service, port, slices, place));
  return { id: service.id, ports };
}

function planPort(
  service: ServiceEntry,
  port: ServicePortEntry,
  slices: readonly EndpointsEntry[],
  place: Place,
): PortPlan {
  const all = candidatesOf(service, port, slices, place);
  const open = all.filter(({ isWaiting }) => !isWaiting);
  return {
    id: `${service.id}:${port.name || port.port}/${port.protocol}`,
    protocol: port.protocol,
    addresses: service.addresses.filter(isIPv4),
    port: port.port,
    ...(port.nodePort === undefined ? {} : { nodePort: port.nodePort }),
    inside: choose(open, service.internalTraffic, service, place),
    outside: choose(open, service.externalTraffic, service, place),
    isOutsideLocal: service.externalTraffic === "local",
    ...(service.affinitySeconds === undefined ? {} : { affinitySeconds: service.affinitySeconds }),
    keeps: open.filter(({ isLost }) => !isLost).map(({ address }) => address),
  };
}

/** Cluster addresses and node ports lead to the same endpoints, so that one chain can serve both. */
export function isSameChoice({ inside, outside }: PortPlan): boolean {
  return inside.length === outside.length && inside.every((target, at) => isSameTarget(target, outside[at]));
}

/** Pods that may reach themselves through the Service. */
export function hairpinsOf({ inside, outside }: PortPlan): ReadonlySet<string> {
  const maybeHere = [...inside, ...outside].filter(({ isHere, isAnywhere }) => isHere || isAnywhere === true);
  return new Set(maybeHere.map(({ address }) => address));
}

function isSameTarget(one: Target, other: Target | undefined): boolean {
  return one.address === other?.address && one.port === other.port;
}

/** Every endpoint once, in the order of their addresses. */
function candidatesOf(
  service: ServiceEntry,
  port: ServicePortEntry,
  slices: readonly EndpointsEntry[],
  place: Place,
): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const { ports, endpoints } of slices) {
    const served = ports.find(({ name, protocol }) => name === port.name && protocol === port.protocol);
    if (served === undefined) continue;
    for (const endpoint of endpoints) {
      // Rules are IPv4's; one address that the firewall does not understand would hold up all Services.
      if (!isIPv4(endpoint.address)) continue;
      const candidate = candidateOf(service, endpoint, served.port, place);
      const key = `${endpoint.address}:${served.port}`;
      // An endpoint may stand in two slices while it moves between them: the better word counts.
      const other = found.get(key);
      if (other === undefined || candidate.tier < other.tier) found.set(key, candidate);
    }
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, candidate]) => candidate);
}

function candidateOf(service: ServiceEntry, endpoint: EndpointEntry, port: number, place: Place): Candidate {
  const { address, state, node, zone } = endpoint;
  const isLost = node !== undefined && place.lostNodes.has(node);
  const isWaiting = state === "waiting" && service.publishNotReady !== true;
  const tier = endpointTier(endpoint, service.publishNotReady === true, place.lostNodes);
  const where = { isHere: node === place.node, ...(node === undefined ? { isAnywhere: true as const } : {}) };
  return { address, port, ...where, tier, isLost, zone, isWaiting };
}

function choose(
  open: readonly Candidate[],
  traffic: "cluster" | "local",
  { prefer }: ServiceEntry,
  place: Place,
): readonly Target[] {
  const allowed = traffic === "local" ? open.filter(({ isHere }) => isHere) : open;
  const best = Math.min(...allowed.map(({ tier }) => tier));
  const able = allowed.filter(({ tier }) => tier === best);
  return near(able, prefer, place).map(({ address, port, isHere, isAnywhere }) => ({
    ...{ address, port, isHere },
    ...(isAnywhere === undefined ? {} : { isAnywhere }),
  }));
}

/** As Kubernetes' trafficDistribution: PreferSameNode falls back to the zone, and that to everybody. */
function near(able: readonly Candidate[], prefer: ServiceEntry["prefer"], place: Place): readonly Candidate[] {
  const here = prefer === "same-node" ? able.filter(({ isHere }) => isHere) : [];
  if (here.length > 0) return here;
  const isZoned = prefer !== undefined && place.zone !== undefined;
  const inZone = isZoned ? able.filter(({ zone }) => zone === place.zone) : [];
  return inZone.length > 0 ? inZone : able;
}
