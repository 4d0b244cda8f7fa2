import { isTolerated } from "../model/toleration.ts";
import type { Demand } from "./demand.ts";
import { type NodeFacts, topologyValue } from "./node-facts.ts";
import { taintWords } from "./node-filters.ts";
import { loadOfDemand, type NodeInfo } from "./node-info.ts";
import type { PodCheck } from "./pod-checks.ts";

/** `spread` puts pods where most is free and keeps copies apart; `binpack` fills nodes up. */
export type Strategy = "spread" | "binpack";

/**
 * Placement minimises a cost in whole millionths of a full node: how full the node will be, plus what each broken
 * preference costs. All penalties are at least 0, so a node's load bounds its cost from below; the index lives on that.
 */
export function loadKey(node: NodeInfo, strategy: Strategy): number {
  return strategy === "binpack" ? -node.load : node.load;
}

/** What the demand itself adds to the key; the same for all nodes of one scoring capacity. */
export function demandKey(demand: Demand, facts: NodeFacts, strategy: Strategy): number {
  const added = loadOfDemand(facts, demand);
  return strategy === "binpack" ? -added : added;
}

const UNTOLERATED_PREFERENCE = 1_000_000;
const COST_PER_WEIGHT = 20_000;
/** More than preferences, and spreading of a workload's copies, come to: a host in trouble takes what fits nowhere else. */
const UNWELL = 100_000_000;

/** What the node says of its health, where that is the pod's concern. */
function unwellFor({ drivers }: Demand, { unwell }: NodeFacts): string | undefined {
  const isTheKeepers = unwell === "KeeperSilent" && drivers.every((name) => name === "docker");
  return isTheKeepers ? undefined : unwell;
}

/** Preferences that look at the node alone. */
export function factsCost(demand: Demand, facts: NodeFacts): number {
  let cost = unwellFor(demand, facts) === undefined ? 0 : UNWELL;
  for (const taint of facts.taints) {
    if (taint.effect === "PreferNoSchedule" && !isTolerated(taint, demand.tolerations)) cost += UNTOLERATED_PREFERENCE;
  }
  for (const preference of demand.nodePreferences) {
    if (!preference.admits(facts)) cost += preference.weight * COST_PER_WEIGHT;
  }
  return cost;
}

export function podCost(checks: readonly PodCheck[], facts: NodeFacts): number {
  let cost = 0;
  for (const check of checks) cost += check.cost(topologyValue(facts, check.topologyKey));
  return cost;
}

/** Filling nodes up and spreading copies contradict each other: only what the user wrote down counts with `binpack`. */
export function preferencesOf(demand: Demand, strategy: Strategy): Demand {
  return strategy === "binpack" && demand.podPreferences.some(isUnasked)
    ? { ...demand, podPreferences: demand.podPreferences.filter((rule) => !isUnasked(rule)) }
    : demand;
}

function isUnasked(rule: { readonly unasked?: boolean }): boolean {
  return rule.unasked === true;
}

/** One part of a node's rating, for people: of 100, higher is better. */
export interface NamedScore {
  readonly name: string;
  readonly points: number;
}

export function namedScores(
  demand: Demand,
  node: NodeInfo,
  soft: readonly PodCheck[],
  strategy: Strategy,
): readonly NamedScore[] {
  const { facts } = node;
  const after = node.load + loadOfDemand(facts, demand);
  const balance = strategy === "binpack" ? after : 1_000_000 - after;
  const scores: NamedScore[] = [
    { name: strategy === "binpack" ? "most allocated" : "least allocated", points: points(balance) },
  ];
  const unwell = unwellFor(demand, facts);
  if (unwell !== undefined) scores.push({ name: `health ${unwell}`, points: points(-UNWELL) });
  for (const preference of demand.nodePreferences) {
    const broken = preference.admits(facts) ? 0 : preference.weight * COST_PER_WEIGHT;
    scores.push({ name: preference.from, points: points(-broken) });
  }
  for (const taint of facts.taints) {
    if (taint.effect !== "PreferNoSchedule" || isTolerated(taint, demand.tolerations)) continue;
    scores.push({ name: `taint ${taintWords(taint)}`, points: points(-UNTOLERATED_PREFERENCE) });
  }
  for (const check of soft) {
    const cost = check.cost(topologyValue(facts, check.topologyKey));
    scores.push({ name: check.rule.from, points: points(-cost) });
  }
  return scores;
}

function points(millionths: number): number {
  return Math.round(millionths / 1000) / 10 + 0;
}
