import { CLUSTER_NETWORK_NAME, clusterNetworks, networkInForce } from "../model/cluster-network.ts";
import type { ClusterEntry } from "../model/network.ts";
import { isHeld, RESTORATION_NAME, restorations } from "../model/restoration.ts";
import type { Reader } from "../store/transaction.ts";
import type { EntrySource } from "./entry-source.ts";

/** What is the same for all nodes: one entry. */
export function clusterSource(): EntrySource {
  return {
    name: "cluster",
    kinds: [clusterNetworks, restorations] as unknown as EntrySource["kinds"],
    begin: (reader, sink) => sink.put(clusterEntry(reader)),
    changed: (_changes, reader, sink) => sink.put(clusterEntry(reader)),
  };
}

function clusterEntry(reader: Reader): ClusterEntry {
  const stored = reader.get(clusterNetworks, CLUSTER_NETWORK_NAME);
  const restoration = reader.get(restorations, RESTORATION_NAME);
  const { clusterRange, serviceRange, domain, mode, vxlanPort } = networkInForce(stored);
  return {
    ...{ kind: "cluster", id: "cluster", podRange: clusterRange, serviceRange, domain, mode, vxlanPort },
    ...(restoration && isHeld(restoration) ? { isRestored: true as const, restoration: restoration.metadata.uid } : {}),
  };
}
