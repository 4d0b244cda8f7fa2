import { NODE_LABEL } from "../model/well-known.ts";
import type { Census } from "./census.ts";
import type { Demand } from "./demand.ts";
import { fitsRoom } from "./fit.ts";
import { topologyValue } from "./node-facts.ts";
import { checkFacts } from "./node-filters.ts";
import type { NodeInfo } from "./node-info.ts";
import { checkPodRules, type Fewest, type PodChecks, preparePodChecks } from "./pod-checks.ts";
import type { PodRule } from "./pod-rules.ts";
import { demandKey, factsCost, loadKey, podCost, preferencesOf, type Strategy } from "./scores.ts";

export interface Placement {
  readonly node: NodeInfo;
  /** In millionths; only good for comparing. */
  readonly cost: number;
}

/**
 * Chooses a node for one pod by looking at all of them. Pure: the same demand, nodes and census give the same answer;
 * of equal costs the first name wins. The index must answer alike, only faster.
 */
export function schedulePod(
  asked: Demand,
  nodes: readonly NodeInfo[],
  census: Census,
  strategy: Strategy,
): Placement | undefined {
  const demand = preferencesOf(asked, strategy);
  const checks = prepareScan(demand, nodes, census);
  let best: Placement | undefined;
  for (const node of nodes) {
    if (checkFacts(demand, node) ?? fitsRoom(demand, node) ?? checkPodRules(checks, node.facts)) continue;
    const cost = costOf(demand, node, checks, strategy);
    if (isBetter(cost, node, best)) best = { node, cost };
  }
  return best;
}

export function costOf(demand: Demand, node: NodeInfo, checks: PodChecks, strategy: Strategy): number {
  const own = loadKey(node, strategy) + demandKey(demand, node.facts, strategy);
  return own + factsCost(demand, node.facts) + podCost(checks.soft, node.facts);
}

export function isBetter(cost: number, node: NodeInfo, best: Placement | undefined): boolean {
  return !best || cost < best.cost || (cost === best.cost && node.name < best.node.name);
}

/** Looks up what placed pods have to say, with the domains of spread rules taken from these nodes. */
export function prepareScan(demand: Demand, nodes: readonly NodeInfo[], census: Census): PodChecks {
  let usable: readonly NodeInfo[] | undefined;
  return preparePodChecks(demand, census, (rule, counts) => {
    usable ??= nodes.filter((node) => checkFacts(demand, node) === undefined);
    return fewestAmong(usable, rule, counts);
  });
}

export function fewestAmong(
  nodes: Iterable<NodeInfo>,
  { topologyKey }: PodRule,
  counts: ReadonlyMap<string, number>,
): Fewest {
  const domains = new Set<string>();
  let count = Number.POSITIVE_INFINITY;
  for (const { facts } of nodes) {
    const value = topologyKey === NODE_LABEL.hostname ? facts.name : topologyValue(facts, topologyKey);
    if (value === undefined || domains.has(value)) continue;
    domains.add(value);
    count = Math.min(count, counts.get(value) ?? 0);
  }
  return { count: domains.size === 0 ? 0 : count, domains: domains.size };
}
