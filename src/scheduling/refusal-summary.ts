import type { Census } from "./census.ts";
import type { Demand } from "./demand.ts";
import { fitsRoom } from "./fit.ts";
import { checkFacts } from "./node-filters.ts";
import type { NodeInfo } from "./node-info.ts";
import { checkPodRules } from "./pod-checks.ts";
import type { FilterName, Refusal } from "./refusal.ts";
import { prepareScan } from "./schedule-pod.ts";

export interface RefusalSummary {
  /** For people, with the numbers. */
  readonly message: string;
  /** Which filters refused how many nodes: equal summaries differ in numbers only. */
  readonly about: string;
}

interface Refused {
  readonly filter: FilterName;
  readonly nodes: NodeInfo[];
  nearest: { readonly node: NodeInfo; readonly refusal: Refusal };
}

/**
 * Why no node takes a pod: nodes grouped by what refused them first, each group with the words of the node that is
 * nearest to taking it.
 */
export function summarizeRefusals(demand: Demand, nodes: readonly NodeInfo[], census: Census): RefusalSummary {
  if (nodes.length === 0) return { message: "there are no nodes yet", about: "no nodes" };
  const checks = prepareScan(demand, nodes, census);
  const groups = new Map<FilterName, Refused>();
  for (const node of nodes) {
    const refusal = checkFacts(demand, node) ?? fitsRoom(demand, node) ?? checkPodRules(checks, node.facts);
    if (refusal) gather(groups, node, refusal);
  }
  const sorted = [...groups.values()].sort((a, b) => b.nodes.length - a.nodes.length || (a.filter < b.filter ? -1 : 1));
  const lines = sorted.map(
    ({ nodes: refused, nearest }) => `${namesOf(refused, nearest.node)}: ${nearest.refusal.message}`,
  );
  const head = `0 of ${nodes.length} ${nodes.length === 1 ? "node" : "nodes"} can take it`;
  return {
    message: `${head}. ${lines.join("; ")}`,
    about: sorted.map(({ filter, nodes: refused }) => `${filter} ${refused.length}`).join(", "),
  };
}

function gather(groups: Map<FilterName, Refused>, node: NodeInfo, refusal: Refusal): void {
  const group = groups.get(refusal.filter);
  if (!group) {
    groups.set(refusal.filter, { filter: refusal.filter, nodes: [node], nearest: { node, refusal } });
    return;
  }
  group.nodes.push(node);
  if (room(node, refusal.filter) > room(group.nearest.node, refusal.filter)) group.nearest = { node, refusal };
}

function room({ free }: NodeInfo, filter: FilterName): number {
  if (filter === "cpu") return free.cpuMillis;
  if (filter === "memory") return free.memoryBytes;
  return filter === "disk" ? free.diskBytes : 0;
}

/** `n2`, `n2 and n4`, `n2 and 7 others`. */
function namesOf(nodes: readonly NodeInfo[], first: NodeInfo): string {
  const others = nodes.filter((node) => node !== first);
  if (others.length === 0) return first.name;
  return others.length === 1 ? `${first.name} and ${others[0]?.name}` : `${first.name} and ${others.length} others`;
}
