/** What NetworkPolicies say of one connection, and in whose words: for people who ask. Pure; the packets themselves ask the kernel. */
import { matchesSelector } from "../../model/label-selector.ts";
import type { PolicyPeer, PolicyPort, PolicyRule, Protocol } from "../../model/network.ts";
import type { LocalPod, NetworkState } from "../plane/network-state.ts";
import { isInBlock, otherAddressesOf } from "./ip-block.ts";
import { type Direction, groupSet, rulesOf } from "./policy-rules.ts";

export interface Packet {
  readonly from: string;
  readonly to: string;
  readonly port?: number;
  readonly protocol: Protocol;
}

export interface PolicyVerdict {
  /** Ids of policies that select the pod in this direction, sorted; none: everything passes. */
  readonly selecting: readonly string[];
  /** The first that lets it pass, and by which peers. */
  readonly allowedBy?: { readonly policy: string; readonly peers: string; readonly set?: string };
}

export function verdictOf(state: NetworkState, pod: LocalPod, direction: Direction, packet: Packet): PolicyVerdict {
  const policies = [...state.tables.policy.values()]
    .filter(({ namespace, podSelector }) => namespace === pod.namespace && matchesSelector(podSelector, pod.labels))
    .filter((policy) => rulesOf(policy, direction) !== undefined)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const selecting = policies.map(({ id }) => id);
  if (packet.from === packet.to && selecting.length > 0)
    return { selecting, allowedBy: { policy: selecting[0] ?? "", peers: "the pod itself" } };
  if (direction === "out" && selecting.length > 0 && isQuestionForNames(state, packet))
    return { selecting, allowedBy: { policy: selecting[0] ?? "", peers: "questions for names to the pod's own host" } };
  for (const policy of policies)
    for (const rule of rulesOf(policy, direction) ?? []) {
      const peer = peerOf(state, rule, direction, direction === "in" ? packet.from : packet.to);
      if (peer !== undefined && meansPort(state, pod, rule, direction, packet))
        return { selecting, allowedBy: { policy: policy.id, ...peer } };
    }
  return { selecting };
}

/** The rules let them pass, whatever policies say (baseThings). */
function isQuestionForNames({ gateway }: NetworkState, { to, port, protocol }: Packet): boolean {
  return port === 53 && protocol !== "sctp" && to === gateway;
}

function peerOf(state: NetworkState, { from }: PolicyRule, direction: Direction, address: string) {
  if (from === undefined) return { peers: "everybody" };
  const found = from.find((peer) => meansAddress(state, peer, direction, address));
  if (found === undefined) return undefined;
  return "peers" in found ? { peers: found.peers, set: groupSet(found.peers) } : { peers: found.cidr };
}

function meansAddress(state: NetworkState, peer: PolicyPeer, direction: Direction, address: string): boolean {
  if ("peers" in peer) return state.peersOf(peer.peers).some(({ addresses }) => addresses.includes(address));
  if (direction === "out") return isInBlock(peer, address, new Map());
  const nodes = [...state.tables.node.values()];
  return isInBlock(peer, address, new Map(nodes.map((node) => [node.address, otherAddressesOf(node) ?? []])));
}

function meansPort(
  state: NetworkState,
  pod: LocalPod,
  { ports, from }: PolicyRule,
  direction: Direction,
  packet: Packet,
): boolean {
  if (ports === undefined) return true;
  return ports.some((wanted) => {
    if (wanted.protocol !== packet.protocol) return false;
    if (wanted.port === undefined) return true;
    if (typeof wanted.port === "number") return isInRange(wanted.port, wanted, packet.port);
    const { port: name } = wanted;
    if (direction === "in") return packet.port !== undefined && pod.ports[name] === packet.port;
    const groups = (from ?? []).flatMap((peer) => ("peers" in peer ? state.peersOf(peer.peers) : []));
    return groups.some(({ named }) => named?.[name]?.[packet.to] === packet.port);
  });
}

function isInRange(first: number, { endPort }: PolicyPort, port: number | undefined): boolean {
  return port !== undefined && port >= first && port <= Math.max(first, endPort ?? 0);
}
