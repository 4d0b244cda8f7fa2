import type { Node } from "../../model/node.ts";
import type { Reader } from "../../store/transaction.ts";
import { machineMetadata } from "./kinds.ts";

/**
 * What a machine is known by: what PATCH /machines has set goes over what the machine says of itself; "" takes a key away.
 * Not simply the node's labels: those are the machine's own again for a moment whenever its agent registers.
 */
export function machineLabels(reader: Reader, node: Node): Readonly<Record<string, string>> {
  const overrides = reader.get(machineMetadata, node.status.nodeInfo.machineID)?.spec.values;
  const merged = Object.entries({ ...node.metadata.labels, ...overrides });
  return Object.fromEntries(merged.filter(([, value]) => value !== ""));
}
