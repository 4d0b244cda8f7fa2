import type { Census } from "./census.ts";
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
const ROUNDS = 3;

/**
 * The smallest changes that would let the pod be placed, best first, at most `limit`. Each one was tried on a copy of
 * the cluster before it is named, so it is true.
 */
export function findUnblockings(
  demand: Demand,
  nodes: readonly NodeInfo[],
  objections: ReadonlyMap<string, readonly Objection[]>,
  limit: number,
  census: Census,
): readonly Unblocking[] {
  const plans = nodes.map((node) => planFor(demand, node, objections.get(node.name) ?? []));
  const sorted = plans
    .filter(({ changes }) => changes.length > 0)
    .sort((a, b) => a.effort - b.effort || (a.node.name < b.node.name ? -1 : 1));
  const found: Unblocking[] = [];
  for (const plan of sorted.slice(0, TRIED)) {
    if (found.length === limit) break;
    const changes = completed(demand, nodes, plan, census);
    if (!changes) continue;
    const { name } = plan.node;
    found.push({ nodeName: name, message: `fits on ${name} if ${changes.map(changeWords).join(" and ")}`, changes });
  }
  return found;
}

function planFor(demand: Demand, node: NodeInfo, objections: readonly Objection[]): Plan {
  const isPossible = objections.every(({ remedies }) => remedies.length > 0);
  const changes = isPossible ? objections.flatMap(({ remedies }) => remedies) : [];
  return { node, changes, effort: changes.reduce((sum, change) => sum + effort(change, demand), 0) };
}

/**
 * The plan's changes, tried; with more where the first bring up new objections (the pod that holds the port is the one
 * this pod must be with). Undefined when no end is in sight.
 */
function completed(
  demand: Demand,
  nodes: readonly NodeInfo[],
  { node, changes }: Plan,
  census: Census,
): readonly Change[] | undefined {
  let present = changes;
  for (let round = 0; round < ROUNDS; round++) {
    const after = withChanges(demand, nodes, node.name, present);
    const there = after.nodes.find(({ name }) => name === node.name);
    if (!there) return undefined;
    const objections = withNodes(census, nodes, after.nodes, () => {
      const checks = prepareScan(after.demand, after.nodes, census);
      return objectionsTo(after.demand, there, checks, after.nodes);
    });
    if (objections.length === 0) return present;
    const more = planFor(after.demand, there, objections).changes;
    if (more.length === 0) return undefined;
    present = [...present, ...more];
  }
  return undefined;
}

/**
 * Looks at `others` in place of `nodes`, one for one, with the census that counts `nodes`: only those that differ are
 * counted anew, and afterwards back again. What `look` gives must hold no number of the census.
 */
export function withNodes<R>(
  census: Census,
  nodes: readonly NodeInfo[],
  others: readonly NodeInfo[],
  look: () => R,
): R {
  const differing = nodes.flatMap((node, at) => {
    const other = others[at];
    return other === undefined || other === node ? [] : [{ node, other }];
  });
  for (const { node, other } of differing) exchange(census, node, other);
  try {
    return look();
  } finally {
    for (const { node, other } of differing) exchange(census, other, node);
  }
}

function exchange(census: Census, from: NodeInfo, to: NodeInfo): void {
  census.removeNode(from.facts, from.pods.values());
  census.addNode(to.facts, to.pods.values());
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
