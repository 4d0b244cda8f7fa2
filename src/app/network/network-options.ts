/** What a person can choose about the network: of this node's pods, and of the whole cluster at its first start. */
import { parseSubnet } from "../../lib/subnet.ts";
import {
  type ClusterNetworkSpec,
  clusterNetworkProblem,
  DEFAULT_CLUSTER_NETWORK,
} from "../../model/cluster-network.ts";

export interface AddressOptions {
  readonly podRange?: string;
  readonly clusterRange?: string;
  readonly serviceRange?: string;
  readonly nodePrefix?: string;
  readonly networkMode?: string;
  readonly vxlanPort?: string;
}

/** Where a node's pods are when the network is its own alone, and nobody says. */
export const LONE_POD_RANGE = "10.42.0.0/24";

const MODES: readonly string[] = [
  "auto",
  "routes",
  "vxlan",
  "wireguard",
] satisfies readonly ClusterNetworkSpec["mode"][];

export function podRangeOf(text: string): string {
  const range = parseSubnet(text);
  if (range && range.prefixLength >= 8 && range.prefixLength <= 26) return text;
  throw new Error(
    `--pod-range ${text}: give an IPv4 range such as ${LONE_POD_RANGE}, of at least 64 addresses (/26), beginning where such a range begins`,
  );
}

/** Only what was given. Throws an Error that names the option, also for two that do not go together. */
export function clusterAddressesOf(options: AddressOptions): Partial<ClusterNetworkSpec> {
  const { clusterRange, serviceRange, nodePrefix, networkMode, vxlanPort } = options;
  if (networkMode !== undefined && !MODES.includes(networkMode))
    throw new Error(`--network-mode ${networkMode}: it is ${MODES.join(", ")}`);
  const given: Partial<ClusterNetworkSpec> = {
    ...(clusterRange === undefined ? {} : { clusterRange }),
    ...(serviceRange === undefined ? {} : { serviceRange }),
    ...(nodePrefix === undefined ? {} : { nodePrefix: Number(nodePrefix.replace(/^\//, "")) }),
    ...(networkMode === undefined ? {} : { mode: networkMode as ClusterNetworkSpec["mode"] }),
    ...(vxlanPort === undefined ? {} : { vxlanPort: Number(vxlanPort) }),
  };
  const problem = clusterNetworkProblem({ ...DEFAULT_CLUSTER_NETWORK, ...given });
  if (problem !== undefined) throw new Error(`${wordsOf(options)}: ${problem}`);
  return given;
}

function wordsOf({ clusterRange, serviceRange, nodePrefix, vxlanPort }: AddressOptions): string {
  const given = {
    "cluster-range": clusterRange,
    "service-range": serviceRange,
    "node-prefix": nodePrefix,
    "vxlan-port": vxlanPort,
  };
  return Object.entries(given)
    .flatMap(([name, text]) => (text === undefined ? [] : `--${name} ${text}`))
    .join(" ");
}
