import { keyOf } from "../model/meta.ts";
import type { Pod } from "../model/pod.ts";
import { Census } from "./census.ts";
import { compileDemand, type Demand } from "./demand.ts";
import type { NodeInfo } from "./node-info.ts";
import { type Objection, objectionsTo } from "./objections.ts";
import type { PodChecks } from "./pod-checks.ts";
import type { FilterName } from "./refusal.ts";
import { costOf, prepareScan } from "./schedule-pod.ts";
import { type NamedScore, namedScores, preferencesOf, type Strategy } from "./scores.ts";
import { findUnblockings, type Unblocking, withNodes } from "./unblock.ts";

export interface PlacementRules {
  readonly strategy: Strategy;
}

/** Nodes of which the same can be said. */
interface Verdict {
  readonly nodes: readonly string[];
  /** Best first; empty when the pod fits. */
  readonly refusals: readonly { readonly filter: FilterName; readonly message: string }[];
  /** How these nodes rate; higher is better, 100 is an empty node. Empty when refused. */
  readonly scores: readonly NamedScore[];
  readonly total: number | undefined;
}

/** The whole answer of `styr why`. Plain data. */
export interface Explanation {
  /** `namespace/name`. */
  readonly pod: string;
  /** Where it is; for a pod that waits, absent. */
  readonly nodeName?: string;
  /** Where it would be placed now, looked at afresh; absent when nowhere. */
  readonly wouldChoose?: string;
  /** One or two sentences. */
  readonly summary: string;
  /** Nodes that take it first, best first; then the refusing ones, most nodes first. */
  readonly verdicts: readonly Verdict[];
  /** For a pod that fits nowhere: what would let it run, smallest change first. */
  readonly unblockings: readonly Unblocking[];
}

interface Rated {
  readonly node: NodeInfo;
  readonly objections: readonly Objection[];
  readonly cost: number;
  readonly scores: readonly NamedScore[];
}

const UNBLOCKINGS = 3;

/**
 * Why a pod is where it is, or why it is nowhere. Looks at the cluster as given and, for a placed pod, as if it were to
 * be placed again. `nodes` sorted by name; `census` is of these nodes, and afterwards what it was before.
 */
export function explainPod(
  pod: Pod,
  nodes: readonly NodeInfo[],
  rules: PlacementRules,
  census: Census = Census.of(nodes),
): Explanation {
  const key = keyOf(pod);
  const others = nodes.map((node) => without(node, key));
  return withNodes(census, nodes, others, () => explainAnew(pod, others, rules, census));
}

function explainAnew(pod: Pod, others: readonly NodeInfo[], rules: PlacementRules, census: Census): Explanation {
  const key = keyOf(pod);
  const demand = preferencesOf(withoutPickedPorts(compileDemand(pod), pod), rules.strategy);
  const checks = prepareScan(demand, others, census);
  const rated = others.map((node) => rate(demand, node, checks, others, rules.strategy));
  const best = rated.filter(({ objections }) => objections.length === 0).sort(byCost)[0];
  const nodeName = pod.spec.nodeName;
  const objections = new Map(rated.map((one) => [one.node.name, one.objections]));
  const isStuck = nodeName === undefined && best === undefined;
  const unblockings = isStuck ? findUnblockings(demand, others, objections, UNBLOCKINGS, census) : [];
  return {
    pod: key,
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(best === undefined ? {} : { wouldChoose: best.node.name }),
    summary: summarize(pod, rated, best, unblockings),
    verdicts: groupVerdicts(rated),
    unblockings,
  };
}

function without(node: NodeInfo, key: string): NodeInfo {
  if (!node.pods.has(key)) return node;
  const copy = node.clone();
  copy.remove(key);
  return copy;
}

/** Ports that the scheduler picked would be picked anew elsewhere. */
function withoutPickedPorts(demand: Demand, pod: Pod): Demand {
  const ports = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap(({ ports: all = [] }) => all);
  const picked = ports.flatMap(({ dynamicHostPort, hostPort }) => (dynamicHostPort && hostPort ? [hostPort] : []));
  if (picked.length === 0) return demand;
  return {
    ...demand,
    hostPorts: demand.hostPorts.filter(({ port }) => !picked.includes(port)),
    dynamicPorts: demand.dynamicPorts + picked.length,
  };
}

function rate(
  demand: Demand,
  node: NodeInfo,
  checks: PodChecks,
  nodes: readonly NodeInfo[],
  strategy: Strategy,
): Rated {
  const objections = objectionsTo(demand, node, checks, nodes);
  if (objections.length > 0) return { node, objections, cost: Number.POSITIVE_INFINITY, scores: [] };
  const scores = namedScores(demand, node, checks.soft, strategy);
  return { node, objections, cost: costOf(demand, node, checks, strategy), scores };
}

function byCost(a: Rated, b: Rated): number {
  return a.cost - b.cost || (a.node.name < b.node.name ? -1 : 1);
}

function groupVerdicts(rated: readonly Rated[]): readonly Verdict[] {
  const groups = new Map<string, { readonly cost: number; readonly verdict: Verdict & { readonly nodes: string[] } }>();
  for (const { node, objections, cost, scores } of [...rated].sort(byCostOrName)) {
    const refusals = objections.map(({ refusal: { filter, message } }) => ({ filter, message }));
    const key = JSON.stringify([refusals, scores]);
    const group = groups.get(key);
    if (group) {
      group.verdict.nodes.push(node.name);
      continue;
    }
    const total =
      scores.length === 0 ? undefined : Math.round(scores.reduce((sum, { points }) => sum + points, 0) * 10) / 10;
    groups.set(key, { cost, verdict: { nodes: [node.name], refusals, scores, total } });
  }
  const [fitting, refusing] = [
    [...groups.values()].filter(isFitting),
    [...groups.values()].filter((one) => !isFitting(one)),
  ];
  refusing.sort((a, b) => b.verdict.nodes.length - a.verdict.nodes.length);
  return [...fitting, ...refusing].map(({ verdict }) => verdict);
}

function isFitting({ cost }: { readonly cost: number }): boolean {
  return Number.isFinite(cost);
}

/** Infinity less Infinity is not a number, so refusing nodes need their names compared first. */
function byCostOrName(a: Rated, b: Rated): number {
  return a.cost === b.cost ? (a.node.name < b.node.name ? -1 : 1) : a.cost - b.cost;
}

function summarize(
  pod: Pod,
  rated: readonly Rated[],
  best: Rated | undefined,
  unblockings: readonly Unblocking[],
): string {
  const { nodeName } = pod.spec;
  const fitting = rated.filter(({ objections }) => objections.length === 0).length;
  const of = `${fitting} of ${rated.length} ${rated.length === 1 ? "node" : "nodes"}`;
  if (nodeName !== undefined) {
    if (!rated.some(({ node }) => node.name === nodeName))
      return `its spec.nodeName is ${nodeName}, and there is no node of that name: nothing runs it`;
    if (best?.node.name === nodeName)
      return `on ${nodeName}, which is still the best of the nodes that can take it (${of})`;
    const now = best ? `placed afresh it would go to ${best.node.name}` : "placed afresh it would fit nowhere";
    return `on ${nodeName}; ${now} (${of} can take it)`;
  }
  if (best) return `not placed yet; ${of} can take it, and ${best.node.name} is the best`;
  if (rated.length === 0) return "pending: there are no nodes yet";
  const [first] = unblockings;
  return `pending: ${of} can take it${first ? `; it ${first.message}` : ""}`;
}
