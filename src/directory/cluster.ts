import {
  CLUSTER_NETWORK_NAME,
  type ClusterNetwork,
  clusterNetworks,
  networkInForce,
} from "../model/cluster-network.ts";
import type { ClusterEntry } from "../model/network.ts";
import type { EntrySource } from "./entry-source.ts";

/** What is the same for all nodes: one entry. */
export function clusterSource(): EntrySource {
  return {
    name: "cluster",
    kinds: [clusterNetworks],
    begin: (reader, sink) => sink.put(clusterEntry(reader.get(clusterNetworks, CLUSTER_NETWORK_NAME))),
    changed: (_changes, reader, sink) => sink.put(clusterEntry(reader.get(clusterNetworks, CLUSTER_NETWORK_NAME))),
  };
}

function clusterEntry(stored: ClusterNetwork | undefined): ClusterEntry {
  const { clusterRange, serviceRange, domain, mode, vxlanPort } = networkInForce(stored);
  return { kind: "cluster", id: "cluster", podRange: clusterRange, serviceRange, domain, mode, vxlanPort };
}
