import { type Namespace, namespaces } from "../model/namespace.ts";
import { SYSTEM_NAMESPACES } from "../model/system-namespaces.ts";
import type { Tx } from "./transaction.ts";

/** Makes the namespaces that must always be there. Those that are there already stay as they are. */
export function ensureSystemNamespaces(tx: Tx): void {
  for (const name of SYSTEM_NAMESPACES) {
    if (tx.get(namespaces, name)) continue;
    tx.create<Namespace>(namespaces, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
  }
}
