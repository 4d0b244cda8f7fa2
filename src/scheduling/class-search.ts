import { NODE_LABEL } from "../model/well-known.ts";
import type { Demand } from "./demand.ts";
import { fitsRoom } from "./fit.ts";
import type { LoadTree } from "./load-tree.ts";
import type { NodeClass } from "./node-class.ts";
import { type NodeFacts, topologyValue } from "./node-facts.ts";
import { checkPodRules, type PodChecks } from "./pod-checks.ts";
import { isBetter, type Placement } from "./schedule-pod.ts";
import { podCost } from "./scores.ts";

/** The search for one demand through its classes. */
export class ClassSearch {
  best: Placement | undefined;
  readonly #demand: Demand;
  readonly #checks: PodChecks;
  /** Rules that tell the nodes of a class apart. */
  readonly #perNode: PodChecks;
  /** What spreading over hosts costs at least, wherever the pod goes. */
  readonly #atLeast: number;

  constructor(demand: Demand, checks: PodChecks, nodeCount: number) {
    this.#demand = demand;
    this.#checks = checks;
    this.#perNode = {
      hard: checks.hard.filter((check) => check.perNode),
      soft: checks.soft.filter((check) => check.perNode),
      keepers: checks.keepers.filter(({ rule }) => rule.topologyKey === NODE_LABEL.hostname),
    };
    this.#atLeast = this.#perNode.soft.reduce((sum, check) => sum + check.leastCost(nodeCount), 0);
  }

  visit(nodeClass: NodeClass, facts: NodeFacts, factsCost: number, tree: LoadTree): void {
    const cost = this.#classCost(facts, factsCost);
    if (cost === undefined || nodeClass.members.size === 0) return;
    if (this.best && cost + tree.leastKey + this.#atLeast > this.best.cost) return;
    tree.walk(this.#demand, (node, key) => {
      const bound = cost + key;
      // Nodes come in order of (load, name), so no later one of this class can do better.
      if (!isBetter(bound + this.#atLeast, node, this.best)) return true;
      if (fitsRoom(this.#demand, node) || checkPodRules(this.#perNode, node.facts)) return false;
      const full = bound + podCost(this.#perNode.soft, node.facts);
      if (!isBetter(full, node, this.best)) return false;
      this.best = { node, cost: full };
      return full === bound + this.#atLeast;
    });
  }

  /** The cost that all nodes of a class share, or undefined when a rule excludes the whole class. */
  #classCost(facts: NodeFacts, factsCost: number): number | undefined {
    let cost = factsCost;
    for (const check of this.#checks.hard) {
      if (!check.perNode && !check.admits(topologyValue(facts, check.topologyKey))) return undefined;
    }
    for (const { rule, counts } of this.#checks.keepers) {
      if (rule.topologyKey === NODE_LABEL.hostname) continue;
      const value = facts.labels[rule.topologyKey];
      if (value !== undefined && counts.has(value)) return undefined;
    }
    for (const check of this.#checks.soft) {
      if (!check.perNode) cost += check.cost(topologyValue(facts, check.topologyKey));
    }
    return cost;
  }
}
