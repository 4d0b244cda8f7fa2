import { Census } from "./census.ts";
import { type Change, changedDemand, changedNode, changeWords, effort } from "./change.ts";
import type { Demand } from "./demand.ts";
import type { NodeInfo } from "./node-info.ts";
import { type Objection, objectionsTo } from "./objections.ts";
import { prepareScan } from "./schedule-pod.ts";

/** What would let a pending pod run. */
export interface Unblocking {
  readonly nodeName: string;
  /** `fits on n3 if memory ≤ 300 MiB`. */
  readonly message: string;
  readonly changes: readonly Change[];
}

interface Plan {
  readonly node: NodeInfo;
  readonly changes: readonly Change[];
  readonly effort: number;
}

/** How many plans are tried before giving up on finding more that hold. */
const TRIED = 20;

/**
 * The smallest changes that would let the pod be placed, best first, at most `limit`. Each one was tried on a copy of
 * the cluster before it is named, so it is true.
 */
export function findUnblockings(
  demand: Demand,
  nodes: readonly NodeInfo[],
  objections: ReadonlyMap<string, readonly Objection[]>,
  limit: number,
): readonly Unblocking[] {
  const plans = nodes.map((node) => planFor(demand, node, objections.get(node.name) ?? []));
  const sorted = plans
    .filter(({ changes }) => changes.length > 0)
    .sort((a, b) => a.effort - b.effort || (a.node.name < b.node.name ? -1 : 1));
  const found: Unblocking[] = [];
  for (const { node, changes } of sorted.slice(0, TRIED)) {
    if (found.length === limit) break;
    if (!holds(demand, nodes, node, changes)) continue;
    found.push({
      nodeName: node.name,
      message: `fits on ${node.name} if ${changes.map(changeWords).join(" and ")}`,
      changes,
    });
  }
  return found;
}

function planFor(demand: Demand, node: NodeInfo, objections: readonly Objection[]): Plan {
  const isPossible = objections.every(({ remedies }) => remedies.length > 0);
  const changes = isPossible ? objections.flatMap(({ remedies }) => remedies) : [];
  return { node, changes, effort: changes.reduce((sum, change) => sum + effort(change, demand), 0) };
}

function holds(demand: Demand, nodes: readonly NodeInfo[], node: NodeInfo, changes: readonly Change[]): boolean {
  const after = withChanges(demand, nodes, node.name, changes);
  const there = after.nodes.find(({ name }) => name === node.name);
  if (!there) return false;
  const checks = prepareScan(after.demand, after.nodes, Census.of(after.nodes));
  return objectionsTo(after.demand, there, checks, after.nodes).length === 0;
}

/** The cluster as it would be. Nothing that was given is changed. */
export function withChanges(
  demand: Demand,
  nodes: readonly NodeInfo[],
  nodeName: string,
  changes: readonly Change[],
): { readonly demand: Demand; readonly nodes: readonly NodeInfo[] } {
  const concerns = (node: NodeInfo, change: Change) =>
    node.name === nodeName || (change.type === "remove pods" && change.keys.some((key) => node.pods.has(key)));
  return {
    demand: changes.reduce(changedDemand, demand),
    nodes: nodes.map((node) =>
      changes.reduce((present, change) => (concerns(present, change) ? changedNode(present, change) : present), node),
    ),
  };
}
