/** Which way leads to each other node's pods. Pure: from what was told and what was seen of this host. */
import { gatewayOf, isHostAddress } from "../../lib/subnet.ts";
import type { ClusterEntry, LinkMode, NodeEntry } from "../../model/network.ts";
import { type ForeignRoute, rangeClash, type Taken, takenBy } from "./foreign-routes.ts";

/** What the kernel says of the way to another host: `ip route get`. */
export interface HostWay {
  readonly device: string;
  /** Hosts of the same link: nothing is between them. */
  readonly isOnLink: boolean;
  readonly mtu: number;
}

export interface PeerPlan {
  readonly node: string;
  readonly address: string;
  readonly podRange: string;
  readonly gateway: string;
  readonly mode: LinkMode;
  readonly device: string;
  readonly mtu: number;
  readonly wireguardKey?: string;
  /** What is not as it was asked for. */
  readonly words?: string;
}

/** A node to which no way leads, and why. */
export interface Wayless {
  readonly node: string;
  readonly words: string;
  /** Its pods are not to be reached by any other way either, such as the default route. */
  readonly refused?: string;
}

export interface PlanFacts {
  readonly cluster: Pick<ClusterEntry, "mode">;
  readonly self: Pick<NodeEntry, "id" | "podRange">;
  readonly nodes: Iterable<NodeEntry>;
  readonly ways: ReadonlyMap<string, HostWay>;
  readonly devices: { readonly vxlan: string; readonly wireguard: string };
  /** This host's kernel does WireGuard. */
  readonly hasWireguard: boolean;
  /** Nodes to which routes were tried, and nothing arrived. */
  readonly fallenBack: ReadonlySet<string>;
  /** Routes of this host that are not of the pod network. */
  readonly foreign?: readonly ForeignRoute[];
  /** Addresses of the control plane's servers, of which not all are nodes. */
  readonly servers?: readonly string[];
}

/** Outer IPv4, UDP and VXLAN headers, and the inner Ethernet header. */
export const VXLAN_BYTES = 50;
/** Outer IPv6 or IPv4, UDP and WireGuard's own, as wg-quick(8) counts. */
export const WIREGUARD_BYTES = 80;

export interface Plan {
  readonly peers: readonly PeerPlan[];
  readonly wayless: readonly Wayless[];
}

/** Whether the same ways lead to both; undefined: there is no such node. */
export function isPlannedAlike(one: NodeEntry | undefined, other: NodeEntry | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const keys = ["address", "podRange", "rangeProblem", "wireguardKey"] as const;
  return one === other || keys.every((key) => one[key] === other[key]);
}

/** Sorted by name. */
export function planPeers(facts: PlanFacts): Plan {
  const others = [...facts.nodes].filter(({ id }) => id !== facts.self.id).sort((a, b) => (a.id < b.id ? -1 : 1));
  const hosts = [...facts.nodes].map(({ address }) => address).concat(facts.servers ?? []);
  const taken = takenBy(facts.self.podRange, facts.foreign ?? [], hosts);
  const keys = Map.groupBy(facts.nodes, ({ wireguardKey }) => wireguardKey);
  const each = others.map((node) => planPeer(node, facts, taken, keys.get(node.wireguardKey)?.length ?? 0));
  return {
    peers: each.filter((one) => "mode" in one),
    wayless: each.filter((one): one is Wayless => !("mode" in one)),
  };
}

/** `claims`: how many nodes say that its key is theirs. */
function planPeer(node: NodeEntry, facts: PlanFacts, taken: Taken, claims: number): PeerPlan | Wayless {
  const { id, address, podRange, wireguardKey } = node;
  if (podRange === undefined) return { node: id, words: node.rangeProblem ?? "it has no pod range of the cluster's" };
  // Before all else: a route to such a range would take away what this host reaches now, perhaps the control plane.
  const clash = rangeClash(podRange, taken);
  if (clash !== undefined) return { node: id, words: `its pod range ${podRange} is not taken: ${clash}` };
  const isEncrypted = facts.cluster.mode === "wireguard";
  const why = isEncrypted ? whyNotEncrypted(node, facts, claims) : undefined;
  if (why !== undefined)
    return { node: id, refused: podRange, words: `NOT CONNECTED, as nothing is sent unencrypted: ${why}` };
  const way = isHostAddress(address) ? facts.ways.get(address) : undefined;
  if (!way) return { node: id, words: noWayWords(address), ...(isEncrypted ? { refused: podRange } : {}) };
  const { mode, words } = modeOf(node, way, facts);
  return {
    ...{ node: id, address, podRange, gateway: gatewayOf(podRange), mode },
    ...reach(mode, way, facts),
    ...(wireguardKey === undefined ? {} : { wireguardKey }),
    ...(words === undefined ? {} : { words }),
  };
}

/** What a node says its address is, it may say of anything. */
function noWayWords(address: string): string {
  if (isHostAddress(address)) return `no route of this host leads to ${address}`;
  return address === "" ? "it has no address" : `what it says its address is, ${address}, is no address of one host`;
}

function modeOf(node: NodeEntry, way: HostWay, facts: PlanFacts): { readonly mode: LinkMode; readonly words?: string } {
  const plain = way.isOnLink && !facts.fallenBack.has(node.id) ? "routes" : "vxlan";
  switch (facts.cluster.mode) {
    case "auto":
      return fallsBack(node, way, facts) ? { mode: plain, words: UNROUTED } : { mode: plain };
    case "vxlan":
      return { mode: "vxlan" };
    case "routes":
      if (way.isOnLink) return { mode: "routes" };
      return { mode: "vxlan", words: "routes were asked for, but a router is between the hosts" };
    case "wireguard":
      return { mode: "wireguard" };
  }
}

/** A person who asks for encryption would not have it broken silently where one host lacks it. */
function whyNotEncrypted({ id, wireguardKey }: NodeEntry, facts: PlanFacts, claims: number): string | undefined {
  const lacking = facts.hasWireguard ? (wireguardKey ? undefined : id) : facts.self.id;
  if (lacking !== undefined) return `${lacking} has no WireGuard in its kernel, or no wg program`;
  // The kernel would give the addresses of one to the other.
  return claims > 1 ? `${id} and another node say that the same key is theirs` : undefined;
}

/** Of a node to which plain routes lead nowhere. */
export const UNROUTED = "packets with pods' addresses do not pass the link between the hosts, so they are wrapped";

function fallsBack({ id }: NodeEntry, way: HostWay, { fallenBack }: PlanFacts): boolean {
  return way.isOnLink && fallenBack.has(id);
}

function reach(
  mode: LinkMode,
  way: HostWay,
  { devices }: PlanFacts,
): { readonly device: string; readonly mtu: number } {
  if (mode === "vxlan") return { device: devices.vxlan, mtu: way.mtu - VXLAN_BYTES };
  if (mode === "wireguard") return { device: devices.wireguard, mtu: way.mtu - WIREGUARD_BYTES };
  return { device: way.device, mtu: way.mtu };
}
