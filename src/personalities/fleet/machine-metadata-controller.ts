import { type Controller, wakes } from "../../controllers/controller.ts";
import { nodes } from "../../model/node.ts";
import { machineMetadata } from "./kinds.ts";
import { machineLabels } from "./machine-labels.ts";

/** Keeps a node's labels as PATCH /machines said, so that the scheduler places by them. */
export const machineMetadataController: Controller = {
  name: "fleet-machine-metadata",
  wakers: [
    wakes(machineMetadata, ({ metadata }) => [metadata.name]),
    wakes(nodes, ({ status }) => [status.nodeInfo.machineID]),
  ],
  reconcile(machineId, tx) {
    if (!tx.get(machineMetadata, machineId)) return undefined;
    for (const node of tx.by(nodes, "machine", machineId))
      tx.update(nodes, { ...node, metadata: { ...node.metadata, labels: machineLabels(tx, node) } });
    return undefined;
  },
};
