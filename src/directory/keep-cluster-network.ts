import {
  CLUSTER_NETWORK_NAME,
  type ClusterNetworkSpec,
  clusterNetworkProblem,
  clusterNetworks,
  FIXED_NETWORK_FIELDS,
  networkInForce,
} from "../model/cluster-network.ts";
import type { Tx } from "../store/transaction.ts";

/**
 * Writes down, at the cluster's first start, which addresses it has: later starts, with other defaults or none given, find them.
 * What was chosen stays; answers in words with what was asked for now and could not be had.
 */
export function keepClusterNetwork(tx: Tx, wish: Partial<ClusterNetworkSpec>): readonly string[] {
  const before = tx.get(clusterNetworks, CLUSTER_NETWORK_NAME);
  const wanted = { ...networkInForce(before), ...wish };
  if (!before) {
    const { apiVersion } = clusterNetworks;
    tx.create(clusterNetworks, {
      apiVersion,
      kind: "ClusterNetwork",
      metadata: { name: CLUSTER_NETWORK_NAME },
      spec: wanted,
    });
    return [];
  }
  const inForce = networkInForce(before);
  const refused = FIXED_NETWORK_FIELDS.filter((field) => wanted[field] !== inForce[field]);
  const kept = Object.fromEntries(FIXED_NETWORK_FIELDS.map((field) => [field, inForce[field]]));
  const spec = { ...wanted, ...kept };
  if (clusterNetworkProblem(spec) === undefined) tx.update(clusterNetworks, { ...before, spec });
  return refused.map(
    (field) =>
      `${WORDS[field]} ${inForce[field]} stays, although ${wanted[field]} was asked for: addresses of it are in use since the cluster's first start`,
  );
}

const WORDS: Readonly<Record<(typeof FIXED_NETWORK_FIELDS)[number], string>> = {
  clusterRange: "the cluster range",
  nodePrefix: "the prefix length of nodes' ranges",
  serviceRange: "the service range",
  domain: "the domain",
};
