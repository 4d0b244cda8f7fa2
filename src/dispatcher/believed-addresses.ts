/**
 * Which addresses of pods are believed. All hosts send requests to them and let them through policies, so a node says them of
 * its own range and its own host only; of others, as on a network of the user's, nobody but that node knows the way.
 */
import { overlaps, parseAddress, parseSubnet, type Subnet } from "../lib/subnet.ts";
import { CLUSTER_NETWORK_NAME, clusterNetworks, networkInForce } from "../model/cluster-network.ts";
import { type Node, nodes } from "../model/node.ts";
import { type Condition, type ContainerStatus, isTerminal, type Pod, type PodStatus, pods } from "../model/pod.ts";
import { isOnOtherNetwork } from "../model/pod-network-need.ts";
import { rfc3339 } from "../seams/clock.ts";
import { type Reader, sameJson, type Tx } from "../store/transaction.ts";
import { isPrivate, serviceRange } from "./range-wish.ts";

/** Condition of a pod whose address only its own node knows a way to. */
export const ADDRESS_REACHED = "AddressReached";

/** What its node says of a pod, without addresses that are none of the node's. */
export function withBelievedAddresses(
  reader: Reader & { readonly nowMs: number },
  pod: Pod,
  told: PodStatus,
): PodStatus {
  const node = reader.get(nodes, pod.spec.nodeName ?? "");
  const { podIP, podIPs, networkAddress: _, hostIP, conditions = [], ...rest } = told;
  const host = hostOf(node, hostIP);
  const whose = podIP === undefined ? undefined : whoseIs(reader, { pod, node, podIP, hostIP });
  const others = conditions.filter(({ type }) => type !== ADDRESS_REACHED);
  const address = whose === "host" ? host : whose === "pod" ? podIP : undefined;
  return {
    ...rest,
    ...(host === undefined ? {} : { hostIP: host }),
    ...(address === undefined ? {} : { podIP: address, podIPs: [{ ip: address }] }),
    ...(whose === "network" && podIP !== undefined ? { networkAddress: podIP } : {}),
    ...(rest.containerStatuses ? { containerStatuses: withChildren(reader, node, rest.containerStatuses) } : {}),
    conditions: whose === "nobody" && podIP ? [...others, unreached(pod, node, podIP, reader.nowMs)] : others,
  };
}

interface Said {
  readonly pod: Pod;
  readonly node: Node | undefined;
  readonly podIP: string;
  readonly hostIP: string | undefined;
}

function whoseIs(reader: Reader, { pod, node, podIP, hostIP }: Said): "host" | "pod" | "network" | "nobody" {
  if (pod.spec.hostNetwork === true || podIP === hostIP) return "host";
  const address = single(podIP);
  if (address === undefined) return "nobody";
  if (isOnOtherNetwork(pod) && !isInRange(node, address)) return isFree(reader, node, address) ? "network" : "nobody";
  return isOfNode(reader, node, address) ? "pod" : "nobody";
}

/** Once a node has its range: addresses that its pods had before are not of it. */
export function forgetAddressesElsewhere(tx: Tx, name: string): void {
  for (const pod of tx.by(pods, "node", name)) {
    if (isTerminal(pod) || pod.status.podIP === undefined) continue;
    const status = withBelievedAddresses(tx, pod, pod.status);
    if (!sameJson(status, pod.status)) tx.update(pods, { ...pod, status });
  }
}

/** One of those that the node was registered with. */
function hostOf(node: Node | undefined, told: string | undefined): string | undefined {
  const own = (node?.status.addresses ?? []).filter(({ type }) => type !== "Hostname").map(({ address }) => address);
  const [first] = own;
  return told === undefined || first === undefined || own.includes(told) ? told : first;
}

function single(text: string): Subnet | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : { text, first: address, last: address, prefixLength: 32 };
}

function isInRange(node: Node | undefined, only: Subnet): boolean {
  const range = parseSubnet(node?.spec.podCIDR ?? "");
  return range !== undefined && overlaps(range, only);
}

/** Of a node that takes no part in the cluster's network: an address of its own bridge, which is nobody else's. */
function isOfNode(reader: Reader, node: Node | undefined, only: Subnet): boolean {
  return node?.spec.podCIDR ? isInRange(node, only) : isNobodys(reader, node, only);
}

function isNobodys(reader: Reader, node: Node | undefined, only: Subnet): boolean {
  const services = serviceRange(reader);
  return isPrivate(only) && !(services && overlaps(services, only)) && !isOfAnother(reader, node, only);
}

/** On a network of the user's, which has none of the cluster's addresses, be they given to a node or not. */
function isFree(reader: Reader, node: Node | undefined, only: Subnet): boolean {
  const { clusterRange } = networkInForce(reader.get(clusterNetworks, CLUSTER_NETWORK_NAME));
  const cluster = parseSubnet(clusterRange);
  return isNobodys(reader, node, only) && !(cluster && overlaps(cluster, only));
}

function isOfAnother(reader: Reader, node: Node | undefined, only: Subnet): boolean {
  return reader.list(nodes).some(({ metadata, spec, status }) => {
    if (metadata.name === node?.metadata.name) return false;
    const range = parseSubnet(spec.podCIDR ?? "");
    return (range && overlaps(range, only)) || status.addresses.some(({ address }) => address === only.text);
  });
}

function withChildren(reader: Reader, node: Node | undefined, containers: readonly ContainerStatus[]) {
  return containers.map((container): ContainerStatus => {
    if (!container.children?.some(({ address }) => address !== undefined)) return container;
    const children = container.children.map(({ address, ...child }) => {
      const only = address === undefined ? undefined : single(address);
      return only && isOfNode(reader, node, only) ? { ...child, address: only.text } : child;
    });
    return { ...container, children };
  });
}

function unreached(pod: Pod, node: Node | undefined, podIP: string, nowMs: number): Condition {
  const before = pod.status.conditions?.find(({ type }) => type === ADDRESS_REACHED);
  const { podCIDR } = node?.spec ?? {};
  const where = podCIDR === undefined ? "of its node's own" : `of its node's range ${podCIDR}`;
  const cure = isOnOtherNetwork(pod)
    ? "its Docker network has addresses of the cluster, or of no private use"
    : "a pod that is made anew has another";
  return {
    ...{ type: ADDRESS_REACHED, status: "False", reason: "NotOfItsNode" },
    message: `${podIP} is not ${where}: no Service, name or policy leads there; ${cure}`,
    lastTransitionTime: before?.lastTransitionTime ?? rfc3339(nowMs),
  };
}
