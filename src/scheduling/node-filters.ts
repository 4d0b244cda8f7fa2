import type { Taint } from "../model/node.ts";
import type { Toleration } from "../model/pod.ts";
import type { Demand } from "./demand.ts";
import { checkDrivers, checkNodeRules } from "./fit.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { NodeInfo } from "./node-info.ts";
import { Refusal } from "./refusal.ts";

/** Whether a node takes new pods at all: it answers, and nobody has cordoned it. */
export function checkOpen(facts: NodeFacts): Refusal | undefined {
  if (!facts.ready) {
    return new Refusal("ready", () => `is not ready${facts.notReadyReason ? `: ${facts.notReadyReason}` : ""}`);
  }
  return facts.cordoned ? new Refusal("cordon", () => "is cordoned") : undefined;
}

export function checkTaints(demand: Demand, facts: NodeFacts): Refusal | undefined {
  const taint = facts.taints.find((one) => one.effect !== "PreferNoSchedule" && !isTolerated(one, demand.tolerations));
  return taint && new Refusal("taint", () => `has the taint ${taintWords(taint)}, which the pod does not tolerate`);
}

export function taintWords({ key, value, effect }: Taint): string {
  return `${key}${value ? `=${value}` : ""}:${effect}`;
}

/** Kubernetes: no key with Exists tolerates everything; no effect means every effect. */
export function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some(
    ({ key, operator = "Equal", value = "", effect }) =>
      (!effect || effect === taint.effect) &&
      (!key ? operator === "Exists" : key === taint.key) &&
      (operator === "Exists" || value === (taint.value ?? "")),
  );
}

/** What a node's facts alone say: open, drivers, taints, rules about the node. */
export function checkFacts(demand: Demand, node: NodeInfo): Refusal | undefined {
  return (
    checkOpen(node.facts) ??
    checkDrivers(demand, node) ??
    checkTaints(demand, node.facts) ??
    checkNodeRules(demand, node)
  );
}
