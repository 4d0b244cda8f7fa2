import { assert, unreachable } from "../lib/assert.ts";
import { NODE_LABEL } from "../model/well-known.ts";
import type { Census, Keepers, Tally } from "./census.ts";
import type { Demand } from "./demand.ts";
import { type NodeFacts, topologyValue } from "./node-facts.ts";
import type { PodRule } from "./pod-rules.ts";
import { type FilterName, Refusal } from "./refusal.ts";

/** The least crowded domain for a spread rule, among the nodes that this demand may use at all. */
export interface Fewest {
  /** Pods in the least crowded domain. */
  readonly count: number;
  readonly domains: number;
}

export type FindFewest = (rule: PodRule, counts: ReadonlyMap<string, number>) => Fewest;

/** One rule about placed pods, with its numbers looked up: valid until the next pod is placed. */
export class PodCheck {
  readonly rule: PodRule;
  readonly topologyKey: string;
  /** Its verdict can differ between two nodes of the same labels. */
  readonly perNode: boolean;
  readonly #tally: Tally;
  readonly #counts: ReadonlyMap<string, number>;
  readonly #fewest: Fewest;

  constructor(rule: PodRule, census: Census, fewest: FindFewest) {
    this.rule = rule;
    this.topologyKey = rule.topologyKey;
    this.perNode = rule.topologyKey === NODE_LABEL.hostname;
    this.#tally = census.tally(rule.selection);
    this.#counts = this.perNode ? this.#tally.perNode : this.#tally.by(rule.topologyKey);
    this.#fewest = needsFewest(rule) ? fewest(rule, this.#counts) : NO_DOMAIN;
  }

  /** Whether a pod may go to this value of the topology key (undefined: the node has no such label). */
  admits(value: string | undefined): boolean {
    const { rule } = this;
    if (value === undefined) return rule.type === "apart";
    const count = this.#counts.get(value) ?? 0;
    switch (rule.type) {
      case "spread":
        return count + (rule.selectsSelf ? 1 : 0) - this.#floor() <= rule.maxSkew;
      case "groups":
        return this.#admitsGroup(rule.groups, rule.total, count);
      case "atMost":
        return count < rule.count;
      case "sameValue":
        return this.#counts.size === 0 || count > 0;
      case "together":
        return count > 0 || (rule.orFirst && rule.selectsSelf && this.#tally.total === 0);
      case "apart":
        return count === 0;
      default:
        return unreachable(rule);
    }
  }

  /** What breaking a preference costs here; never negative. */
  cost(value: string | undefined): number {
    const { rule } = this;
    if (rule.type !== "spread") return this.admits(value) ? 0 : rule.cost;
    if (value === undefined) return 0;
    const cost = rule.cost * ((this.#counts.get(value) ?? 0) - this.#floor());
    return rule.mostCost === undefined ? cost : Math.min(cost, rule.mostCost);
  }

  /** What `cost` is at least on every one of so many nodes, for a rule by host. */
  leastCost(nodeCount: number): number {
    const { type, cost } = this.rule;
    return type === "spread" ? cost * this.#tally.fewestPerNode(nodeCount) : 0;
  }

  words(value: string | undefined): string {
    const { rule } = this;
    if (value === undefined) return `${rule.from}: this node has no label ${rule.topologyKey}`;
    const count = this.#counts.get(value) ?? 0;
    const where = this.perNode ? "here" : `in ${rule.topologyKey}=${value}`;
    switch (rule.type) {
      case "spread":
        return `${rule.from}: ${count} ${where}, ${this.#floor()} where there are fewest`;
      case "groups":
        return `${rule.from}: ${count} of ${rule.total} ${where}, and there are to be ${rule.groups} groups`;
      case "atMost":
        return `${rule.from}: already ${count} ${where}`;
      case "sameValue":
        return `${rule.from}: the others are in ${[...this.#counts.keys()].sort().join(", ")}`;
      case "together":
        return this.#tally.total === 0 ? `${rule.from}: it is not placed anywhere` : `${rule.from}: it is not ${where}`;
      case "apart":
        return `${rule.from}: ${count} ${where}`;
      default:
        return unreachable(rule);
    }
  }

  /** Kubernetes: with fewer domains than minDomains, the fewest counts as zero. */
  #floor(): number {
    assert(this.rule.type === "spread", "only spread has a floor");
    return this.#fewest.domains < this.rule.minDomains ? 0 : this.#fewest.count;
  }

  /** Marathon's GROUP_BY n, to the letter (Constraints.scala; specs/marathon.md 1.3). */
  #admitsGroup(groups: number, total: number, count: number): boolean {
    if (count === 0) return this.#counts.size < groups;
    const base = Math.floor(total / groups);
    let used = 0;
    for (const present of this.#counts.values()) used += Math.max(0, present - base);
    return count < base || (count === base && (total % groups) - used > 0);
  }
}

const NO_DOMAIN: Fewest = { count: 0, domains: 0 };

/** A cost per host differs by the same amount everywhere whatever the floor, so that one is not looked up. */
function needsFewest({ type, cost, topologyKey }: PodRule): boolean {
  return type === "spread" && !(cost > 0 && topologyKey === NODE_LABEL.hostname);
}

const FILTER_OF: Readonly<Record<PodRule["type"], FilterName>> = {
  spread: "spread",
  groups: "groups",
  atMost: "at most",
  sameValue: "same value",
  together: "together",
  apart: "apart",
};

/** All that placed pods have to say about one demand. */
export interface PodChecks {
  readonly hard: readonly PodCheck[];
  readonly soft: readonly PodCheck[];
  /** Placed pods that keep this one away. */
  readonly keepers: readonly Keepers[];
}

export function preparePodChecks(demand: Demand, census: Census, fewest: FindFewest): PodChecks {
  return {
    hard: demand.podRules.map((rule) => new PodCheck(rule, census, fewest)),
    soft: demand.podPreferences.map((rule) => new PodCheck(rule, census, fewest)),
    keepers: census.keepersAgainst(demand.identity),
  };
}

/** The first rule about placed pods that this node breaks. */
export function checkPodRules({ hard, keepers }: PodChecks, facts: NodeFacts): Refusal | undefined {
  for (const check of hard) {
    const value = topologyValue(facts, check.topologyKey);
    if (!check.admits(value)) return new Refusal(FILTER_OF[check.rule.type], () => check.words(value));
  }
  for (const { rule, counts } of keepers) {
    const value = topologyValue(facts, rule.topologyKey);
    if (value !== undefined && counts.has(value)) {
      return new Refusal("apart", () => `a pod that is there keeps this one away: ${rule.from}`);
    }
  }
  return undefined;
}
