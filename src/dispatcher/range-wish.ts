/** Why a node does not get the pod range that it asks for. All hosts of the cluster send what is for that range to it. */
import { holds, overlaps, parseSubnet, type Subnet } from "../lib/subnet.ts";
import {
  CLUSTER_NETWORK_NAME,
  type ClusterNetworkSpec,
  clusterNetworks,
  networkInForce,
} from "../model/cluster-network.ts";
import { nodes } from "../model/node.ts";
import { isTerminal, pods } from "../model/pod.ts";
import { servers } from "../model/server.ts";
import type { Reader } from "../store/transaction.ts";

/** For private use (RFC 1918), between carriers and customers (RFC 6598), and for benchmarks (RFC 2544). */
const PRIVATE: readonly Subnet[] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"]
  .map(parseSubnet)
  .filter((range) => range !== undefined);

export interface WishPlace {
  readonly node: string;
  /** What its agent says that its addresses are. */
  readonly addresses: readonly string[];
  readonly held: string | undefined;
  readonly network: ClusterNetworkSpec;
  /** Ranges of other nodes. */
  readonly others: readonly Subnet[];
}

/** In words; undefined: it may have it. */
export function wishProblem(reader: Reader, wish: string, place: WishPlace): string | undefined {
  const range = parseSubnet(wish);
  if (range === undefined) return "is no range";
  const { serviceRange: given, clusterRange } = place.network;
  const [services, cluster] = [parseSubnet(given), parseSubnet(clusterRange)];
  if (place.others.some((other) => overlaps(range, other))) return "overlaps another node's";
  if (services && overlaps(range, services)) return `overlaps the addresses of Services (${services.text})`;
  if (!isPrivate(range) && !(cluster && isWithin(range, cluster))) return "has addresses that are not for private use";
  const host = hostWithin(reader, range, place);
  if (host !== undefined) return `contains ${host}`;
  const held = place.held === undefined ? undefined : parseSubnet(place.held);
  const pod = held && podWithin(reader, place.node, held);
  return pod && `is for after its pods are gone: ${pod} has an address of ${place.held}`;
}

export function isPrivate(range: Subnet): boolean {
  return PRIVATE.some((whole) => isWithin(range, whole));
}

/** Of the Services' addresses. */
export function serviceRange(reader: Reader): Subnet | undefined {
  return parseSubnet(networkInForce(reader.get(clusterNetworks, CLUSTER_NETWORK_NAME)).serviceRange);
}

function isWithin(range: Subnet, whole: Subnet): boolean {
  return whole.first <= range.first && range.last <= whole.last;
}

function hostWithin(reader: Reader, range: Subnet, { node, addresses }: WishPlace): string | undefined {
  const hosts = [...addresses.map((address) => ({ who: `node ${node} itself`, address })), ...knownHosts(reader, node)];
  const found = hosts.find(({ address }) => holds(range, address));
  return found && `${found.address} of ${found.who}`;
}

/** Where nodes and servers are, as far as that is an address. */
export function knownHosts(
  reader: Reader,
  except?: string,
): readonly { readonly who: string; readonly address: string }[] {
  const others = reader.list(nodes).filter(({ metadata }) => metadata.name !== except);
  return [
    ...others.flatMap(({ metadata, status }) =>
      status.addresses.map(({ address }) => ({ who: `node ${metadata.name}`, address })),
    ),
    ...reader.list(servers).map(({ metadata, spec }) => ({
      who: `server ${metadata.name}`,
      address: URL.canParse(spec.url) ? new URL(spec.url).hostname : "",
    })),
  ];
}

function podWithin(reader: Reader, node: string, held: Subnet): string | undefined {
  const found = reader.by(pods, "node", node).find((pod) => !isTerminal(pod) && holds(held, pod.status.podIP ?? ""));
  return found && `${found.metadata.namespace}/${found.metadata.name}`;
}
