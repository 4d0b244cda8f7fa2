import type { NodeEntry } from "../model/network.ts";
import { type Node, nodes } from "../model/node.ts";
import { NODE_LABEL } from "../model/well-known.ts";
import type { EntrySource } from "./entry-source.ts";

/** Where each node is, and which addresses its pods have. Which of them are silent, the directory adds. */
export function nodesSource(): EntrySource {
  return {
    name: "nodes",
    kinds: [nodes],
    begin(reader, sink) {
      for (const node of reader.list(nodes)) sink.put(nodeEntry(node));
    },
    changed(changes, reader, sink) {
      for (const key of new Set(changes.map((change) => change.key))) {
        const node = reader.get(nodes, key);
        if (node) sink.put(nodeEntry(node));
        else sink.remove("node", key);
      }
    },
  };
}

function nodeEntry({ metadata, spec, status }: Node): NodeEntry {
  const zone = metadata.labels?.[NODE_LABEL.zone];
  const { wireguardKey, echoes, wayInPorts } = status.network ?? {};
  const isWayIn = metadata.labels?.[NODE_LABEL.wayIn] === "true" || status.network?.isWayIn === true;
  const refused = status.conditions.find(({ reason }) => reason === "PodRangesExhausted")?.message;
  return {
    kind: "node",
    id: metadata.name,
    address: status.addresses.find(({ type }) => type === "InternalIP")?.address ?? "",
    ...(spec.podCIDR ? { podRange: spec.podCIDR } : {}),
    ...(spec.podCIDR || refused === undefined ? {} : { rangeProblem: refused }),
    ...(zone === undefined ? {} : { zone }),
    ...(wireguardKey === undefined ? {} : { wireguardKey }),
    ...(isWayIn ? { isWayIn } : {}),
    ...(isWayIn && wayInPorts ? { wayInPorts } : {}),
    ...(echoes === true ? { echoes } : {}),
  };
}
