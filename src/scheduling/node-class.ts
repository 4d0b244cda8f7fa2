/** Nodes that no known rule can tell apart. */
import type { LoadTree } from "./load-tree.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { NodeInfo } from "./node-info.ts";

export interface NodeClass {
  readonly key: string;
  readonly members: Map<string, NodeInfo>;
  tree: LoadTree | undefined;
}

export function anyOf({ members }: NodeClass): NodeInfo {
  return members.values().next().value as NodeInfo;
}

/** The same for nodes that differ in nothing that rules look at; of labels only `keys` count. */
export function classKey(facts: NodeFacts, keys: ReadonlySet<string>): string {
  const labels = [...keys].sort().map((key) => facts.labels[key] ?? null);
  const drivers = Object.entries(facts.drivers)
    .filter(([, state]) => state === "")
    .map(([name]) => name)
    .sort();
  return JSON.stringify([
    labels,
    facts.taints,
    drivers,
    facts.podNetwork === "",
    facts.publishes,
    facts.scoringCpu,
    facts.scoringMemory,
    facts.unwell,
    facts.cordoned,
  ]);
}
