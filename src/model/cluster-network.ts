import { overlaps, parseSubnet } from "../lib/subnet.ts";
import { defineKind, type ObjectMeta } from "./meta.ts";
import type { LinkMode } from "./network.ts";

/** The addresses of the whole cluster; one object, named `cluster`, written by the first server that leads. Absent fields have the defaults below. */
export interface ClusterNetwork {
  readonly apiVersion: string;
  readonly kind: "ClusterNetwork";
  readonly metadata: ObjectMeta;
  readonly spec: Partial<ClusterNetworkSpec>;
}

export interface ClusterNetworkSpec {
  /** Nodes' pod ranges are taken from it. */
  readonly clusterRange: string;
  /** Each node is given a range of this prefix length. */
  readonly nodePrefix: number;
  /** Cluster addresses of Services are taken from it. */
  readonly serviceRange: string;
  readonly domain: string;
  /** How packets reach other nodes' pods; "auto" chooses for each pair of nodes. May be changed at any time. */
  readonly mode: "auto" | LinkMode;
  /** UDP, the same on all nodes. May be changed at any time. */
  readonly vxlanPort: number;
}

export const DEFAULT_CLUSTER_NETWORK: ClusterNetworkSpec = {
  clusterRange: "10.42.0.0/16",
  nodePrefix: 24,
  serviceRange: "10.96.0.0/12",
  domain: "cluster.local",
  mode: "auto",
  vxlanPort: 8472,
};

export const CLUSTER_NETWORK_NAME = "cluster";

export const clusterNetworks = defineKind<ClusterNetwork>("ClusterNetwork", "styrmann.dev/v1", "cluster");

/** What is in force. */
export function networkInForce(stored: ClusterNetwork | undefined): ClusterNetworkSpec {
  return { ...DEFAULT_CLUSTER_NETWORK, ...stored?.spec };
}

/** Fields that stay as they were chosen at the cluster's first start: addresses were given out of them. */
export const FIXED_NETWORK_FIELDS = ["clusterRange", "nodePrefix", "serviceRange", "domain"] as const;

/** A node has at least 64 addresses: the first two are the range's and the host's, the last sixteenth is the engine's to give. */
const MOST_NODE_PREFIX = 26;

/** Why it cannot be meant, in words; undefined when it can. */
export function clusterNetworkProblem(spec: ClusterNetworkSpec): string | undefined {
  const { clusterRange, serviceRange, nodePrefix, vxlanPort } = spec;
  const [pods, services] = [parseSubnet(clusterRange), parseSubnet(serviceRange)];
  if (!pods || pods.prefixLength < 8 || pods.prefixLength > MOST_NODE_PREFIX)
    return `the cluster range ${clusterRange} is no IPv4 range such as 10.42.0.0/16, from /8 to /${MOST_NODE_PREFIX}`;
  if (!services || services.prefixLength < 8 || services.prefixLength > 28)
    return `the service range ${serviceRange} is no IPv4 range such as 10.96.0.0/12, from /8 to /28`;
  if (overlaps(pods, services))
    return `the cluster range ${clusterRange} and the service range ${serviceRange} overlap: pods and Services need addresses of their own`;
  if (!Number.isInteger(nodePrefix) || nodePrefix < pods.prefixLength || nodePrefix > MOST_NODE_PREFIX)
    return `a node's part of ${clusterRange} is from /${pods.prefixLength} to /${MOST_NODE_PREFIX}, not /${nodePrefix}`;
  if (!Number.isInteger(vxlanPort) || vxlanPort < 1 || vxlanPort > 65_535)
    return `${vxlanPort} is no UDP port for VXLAN`;
  return undefined;
}
