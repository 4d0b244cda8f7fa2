import type { Taint } from "../model/node.ts";
import type { Toleration } from "../model/pod.ts";
import { isTolerated, toleratesCordon } from "../model/toleration.ts";
import type { Demand } from "./demand.ts";
import { checkDrivers, checkNodeRules, checkPodNetwork, checkPublishing } from "./fit.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { NodeInfo } from "./node-info.ts";
import { Refusal } from "./refusal.ts";

export function checkReady({ ready, notReadyReason }: NodeFacts): Refusal | undefined {
  if (ready) return undefined;
  return new Refusal("ready", () => `is not ready${notReadyReason ? `: ${notReadyReason}` : ""}`);
}

/** A cordoned node takes those that tolerate the taint which Kubernetes sets for it. */
export function checkCordon(facts: NodeFacts, tolerations: readonly Toleration[]): Refusal | undefined {
  if (!facts.cordoned || toleratesCordon(tolerations)) return undefined;
  return new Refusal("cordon", () => "is cordoned");
}

/** Whether a node takes new pods at all: it answers, and nobody has cordoned it. */
export function checkOpen(facts: NodeFacts, tolerations: readonly Toleration[] = []): Refusal | undefined {
  return checkReady(facts) ?? checkCordon(facts, tolerations);
}

export function checkTaints(demand: Demand, facts: NodeFacts): Refusal | undefined {
  const taint = facts.taints.find((one) => one.effect !== "PreferNoSchedule" && !isTolerated(one, demand.tolerations));
  return taint && new Refusal("taint", () => `has the taint ${taintWords(taint)}, which the pod does not tolerate`);
}

export function taintWords({ key, value, effect }: Taint): string {
  return `${key}${value ? `=${value}` : ""}:${effect}`;
}

/** What a node's facts alone say: open, drivers, taints, rules about the node. */
export function checkFacts(demand: Demand, node: NodeInfo): Refusal | undefined {
  return (
    checkOpen(node.facts, demand.tolerations) ??
    checkDrivers(demand, node) ??
    checkPodNetwork(demand, node) ??
    checkPublishing(demand, node) ??
    checkTaints(demand, node.facts) ??
    checkNodeRules(demand, node)
  );
}
