import { type Node, nodes } from "../../../src/model/node.ts";
import type { Stage } from "./stage.ts";

export function nodeOf(name: string, labels: Readonly<Record<string, string>>) {
  const rest = { spec: {}, status: { conditions: [], addresses: [], nodeInfo: {} } };
  const node = { apiVersion: "v1", kind: "Node", metadata: { name, labels } } as const;
  return { ...node, ...(rest as unknown as Pick<Node, "spec" | "status">) };
}

export async function addNode(stage: Stage, name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  await stage.store.update((tx) => tx.create<Node>(nodes, nodeOf(name, labels)));
}
