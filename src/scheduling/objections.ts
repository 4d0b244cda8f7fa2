import { isTolerated } from "../model/toleration.ts";
import { type AmountName, askLess, type Change, freeAmount } from "./change.ts";
import type { Demand } from "./demand.ts";
import { allMisfits, checkNodeRules, fitsRoom, holdersOf } from "./fit.ts";
import { topologyValue } from "./node-facts.ts";
import { checkCordon, checkFacts, checkReady, checkTaints } from "./node-filters.ts";
import type { NodeInfo } from "./node-info.ts";
import { checkPodRules, type PodChecks } from "./pod-checks.ts";
import type { PodRule } from "./pod-rules.ts";
import { Refusal } from "./refusal.ts";

/** Something that speaks against a node, and what would take it back. */
export interface Objection {
  readonly refusal: Refusal;
  readonly remedies: readonly Change[];
}

/** Everything that speaks against a node; none when the pod fits. Placement itself stops at the first. */
export function objectionsTo(
  demand: Demand,
  node: NodeInfo,
  checks: PodChecks,
  nodes: readonly NodeInfo[],
): readonly Objection[] {
  const known = [
    ...openObjections(demand, node),
    ...taintObjections(demand, node),
    ...nodeRuleObjections(demand, node),
    ...allMisfits({ ...demand, nodeRules: [] }, node).flatMap((refusal) => ({
      refusal,
      remedies: remediesOf(refusal, demand, node),
    })),
    ...ruleObjections(node, checks),
    ...keeperObjections(node, checks, nodes),
  ];
  if (known.length > 0) return known;
  // A filter that nobody has named a remedy for refuses all the same: what is said here is never kinder than what is done.
  const refusal = checkFacts(demand, node) ?? fitsRoom(demand, node) ?? checkPodRules(checks, node.facts);
  return refusal ? [{ refusal, remedies: [] }] : [];
}

function openObjections(demand: Demand, { facts }: NodeInfo): readonly Objection[] {
  const found: Objection[] = [];
  const notReady = checkReady(facts);
  if (notReady) found.push({ refusal: notReady, remedies: [{ type: "ready" }] });
  const cordoned = checkCordon(facts, demand.tolerations);
  if (cordoned) found.push({ refusal: cordoned, remedies: [{ type: "uncordon" }] });
  return found;
}

function taintObjections(demand: Demand, { facts }: NodeInfo): readonly Objection[] {
  return facts.taints.flatMap((taint) => {
    if (isTolerated(taint, demand.tolerations)) return [];
    const refusal = checkTaints(demand, { ...facts, taints: [taint] });
    return refusal ? [{ refusal, remedies: [{ type: "tolerate", taint }] }] : [];
  });
}

function remediesOf({ filter }: Refusal, demand: Demand, node: NodeInfo): readonly Change[] {
  switch (filter) {
    case "cpu":
      return amountRemedies("cpu", demand.cpuMillis, node.free.cpuMillis);
    case "memory":
      return amountRemedies("memory", demand.memoryBytes, node.free.memoryBytes);
    case "disk":
      return amountRemedies("disk", demand.diskBytes, node.free.diskBytes);
    case "resource":
      return demand.extended
        .map(([resource, amount]) => ({ resource, amount, to: Math.max(0, node.freeExtended(resource)) }))
        .filter(({ amount, to }) => amount > to)
        .map(({ resource, to }) => ({ type: "less of a resource", resource, to }));
    case "pods": {
      const tooMany = node.pods.size + 1 - node.facts.allocatable.pods;
      // Not those that the pod has to be with.
      const wanted = demand.podRules.filter(({ type }) => type === "together" || type === "sameValue");
      const keys = [...node.pods.values()]
        .filter(({ identity }) => !wanted.some(({ selection }) => selection.selects(identity)))
        .map(({ key }) => key)
        .sort()
        .slice(0, tooMany);
      return keys.length < tooMany ? [] : [{ type: "remove pods", keys, why: "the node is full of pods" }];
    }
    case "port":
      return demand.hostPorts.flatMap((port) => {
        const holders = holdersOf(node, port);
        return holders.length === 0 ? [] : [{ type: "free port", port, holders }];
      });
    case "dynamic ports": {
      const own = demand.hostPorts.filter(({ port }) => node.isDynamic(port)).length;
      return [{ type: "fewer ports", to: Math.max(0, node.freeDynamicPorts - own) }];
    }
    case "driver":
      return demand.drivers
        .filter((driver) => node.facts.drivers[driver] !== "")
        .map((driver) => ({ type: "driver", driver, isThere: node.facts.drivers[driver] !== undefined }));
    case "pod network":
    case "published ports":
      return [{ type: filter }];
    default:
      return [];
  }
}

function nodeRuleObjections(demand: Demand, node: NodeInfo): readonly Objection[] {
  return demand.nodeRules.flatMap((rule) => {
    const refusal = checkNodeRules({ ...demand, nodeRules: [rule] }, node);
    return refusal ? [{ refusal, remedies: [{ type: "drop node rule", rule }] }] : [];
  });
}

function amountRemedies(amount: AmountName, needed: number, free: number): readonly Change[] {
  return [askLess(amount, free) ?? freeAmount(amount, needed - free)];
}

function ruleObjections(node: NodeInfo, checks: PodChecks): readonly Objection[] {
  return checks.hard.flatMap((check) => {
    const refusal = checkPodRules({ ...checks, hard: [check], keepers: [] }, node.facts);
    return refusal ? [{ refusal, remedies: [{ type: "drop pod rule", rule: check.rule }] }] : [];
  });
}

function keeperObjections(node: NodeInfo, checks: PodChecks, nodes: readonly NodeInfo[]): readonly Objection[] {
  return checks.keepers.flatMap(({ rule, counts }) => {
    const value = topologyValue(node.facts, rule.topologyKey);
    if (value === undefined || !counts.has(value)) return [];
    const keys = keysOfKeepers(rule, value, nodes);
    const refusal = new Refusal("apart", () => `${keys.join(", ")} keeps it away: ${rule.from}`);
    return [{ refusal, remedies: [{ type: "remove pods", keys, why: `its rule "${rule.from}" keeps others away` }] }];
  });
}

function keysOfKeepers(rule: PodRule, value: string, nodes: readonly NodeInfo[]): readonly string[] {
  const there = nodes.filter(({ facts }) => topologyValue(facts, rule.topologyKey) === value);
  const keeps = (one: PodRule) => one.topologyKey === rule.topologyKey && one.selection.key === rule.selection.key;
  return there.flatMap(({ pods }) =>
    [...pods.values()].filter(({ demand }) => demand.keepsApart.some(keeps)).map(({ key }) => key),
  );
}
