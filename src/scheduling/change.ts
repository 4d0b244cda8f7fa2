import { formatCpuMillis } from "../lib/quantity.ts";
import type { Taint } from "../model/node.ts";
import type { DriverName } from "../model/pod.ts";
import type { Demand, HostPort } from "./demand.ts";
import type { NodeFacts } from "./node-facts.ts";
import { taintWords } from "./node-filters.ts";
import type { NodeInfo } from "./node-info.ts";
import type { NodeRule } from "./node-rules.ts";
import type { PodRule } from "./pod-rules.ts";

export type AmountName = "cpu" | "memory" | "disk";

/** One thing somebody could do so that a pod fits on a node. Data, so that the claim can be tried before it is made. */
export type Change =
  | { readonly type: "ask less"; readonly amount: AmountName; readonly to: number }
  | { readonly type: "free amount"; readonly amount: AmountName; readonly by: number }
  | { readonly type: "less of a resource"; readonly resource: string; readonly to: number }
  | { readonly type: "free port"; readonly port: HostPort; readonly holders: readonly string[] }
  | { readonly type: "fewer ports"; readonly to: number }
  | { readonly type: "remove pods"; readonly keys: readonly string[]; readonly why: string }
  | { readonly type: "driver"; readonly driver: DriverName; readonly isThere: boolean }
  | { readonly type: "pod network" }
  | { readonly type: "published ports" }
  | { readonly type: "ready" }
  | { readonly type: "uncordon" }
  | { readonly type: "tolerate"; readonly taint: Taint }
  | { readonly type: "drop node rule"; readonly rule: NodeRule }
  | { readonly type: "drop pod rule"; readonly rule: PodRule };

const FIELD = { cpu: "cpuMillis", memory: "memoryBytes", disk: "diskBytes" } as const;

/** Completes "fits on n3 if …". */
export function changeWords(change: Change): string {
  switch (change.type) {
    case "ask less":
      return `${change.amount} ≤ ${amountWords(change.amount, change.to)}`;
    case "free amount":
      return `${amountWords(change.amount, change.by)} of ${change.amount} is freed there`;
    case "less of a resource":
      return change.to === 0
        ? `it does without ${change.resource}`
        : `it asks for at most ${change.to} ${change.resource}`;
    case "free port":
      return `port ${change.port.port} is freed (held by ${listed(change.holders)})`;
    case "fewer ports":
      return `it asks for at most ${change.to} host ports`;
    case "remove pods":
      return `${listed(change.keys)} ${change.keys.length === 1 ? "goes" : "go"} (${change.why})`;
    case "driver":
      return `${change.driver === "docker" ? "Docker" : `the ${change.driver} driver`} ${change.isThere ? "works" : "is installed"}`;
    case "pod network":
      return "pods get a network there again";
    case "published ports":
      return "Docker's rules are made anew there (systemctl restart docker)";
    case "ready":
      return "the node is ready again";
    case "uncordon":
      return "it is uncordoned";
    case "tolerate":
      return `the pod tolerates ${taintWords(change.taint)}`;
    case "drop node rule":
    case "drop pod rule":
      return `the rule "${change.rule.from}" is lifted`;
  }
}

function amountWords(amount: AmountName, value: number): string {
  if (amount === "cpu") return formatCpuMillis(value);
  return value % MIB === 0 ? `${value / MIB} MiB` : `${value} bytes`;
}

function listed(keys: readonly string[]): string {
  return keys.length > 3 ? `${keys.slice(0, 3).join(", ")} and ${keys.length - 3} more` : keys.join(" and ");
}

const MIB = 2 ** 20;

/** The most a pod may ask for, in a number short enough to be said exactly; undefined when nothing is free. */
export function askLess(amount: AmountName, free: number): Change | undefined {
  const to = amount === "cpu" || free < MIB ? free : Math.floor(free / MIB) * MIB;
  return to > 0 ? { type: "ask less", amount, to } : undefined;
}

export function freeAmount(amount: AmountName, missing: number): Change {
  const by = amount === "cpu" ? missing : Math.ceil(missing / MIB) * MIB;
  return { type: "free amount", amount, by };
}

/** How much it asks of people; a plan's changes add up. */
export function effort(change: Change, demand: Demand): number {
  switch (change.type) {
    case "ask less":
      return 1 + (demand[FIELD[change.amount]] - change.to) / demand[FIELD[change.amount]];
    case "uncordon":
      return 1.5;
    case "free port":
    case "fewer ports":
    case "less of a resource":
      return 2;
    case "tolerate":
    case "free amount":
      return 2.5;
    case "remove pods":
      return 3 + change.keys.length / 10;
    case "driver":
      return change.isThere ? 3 : 3.5;
    case "pod network":
    case "published ports":
    case "drop node rule":
    case "drop pod rule":
      return 3;
    case "ready":
      return 4;
  }
}

/** The demand after the change. A rule is known by the words its user wrote it in. */
export function changedDemand(demand: Demand, change: Change): Demand {
  switch (change.type) {
    case "ask less":
      return { ...demand, [FIELD[change.amount]]: change.to };
    case "fewer ports":
      return { ...demand, dynamicPorts: change.to };
    case "less of a resource":
      return {
        ...demand,
        extended: demand.extended.map(([name, amount]) => [name, name === change.resource ? change.to : amount]),
      };
    case "tolerate": {
      const { key, value, effect } = change.taint;
      const toleration = { key, operator: "Equal", effect, ...(value === undefined ? {} : { value }) } as const;
      return { ...demand, tolerations: [...demand.tolerations, toleration] };
    }
    case "drop node rule":
      return { ...demand, nodeRules: demand.nodeRules.filter(({ from }) => from !== change.rule.from) };
    case "drop pod rule":
      return { ...demand, podRules: demand.podRules.filter(({ from }) => from !== change.rule.from) };
    default:
      return demand;
  }
}

/** The node after the change, as a copy. `remove pods` is about any node. */
export function changedNode(node: NodeInfo, change: Change): NodeInfo {
  if (change.type === "free port" || change.type === "remove pods") {
    const copy = node.clone();
    for (const key of change.type === "free port" ? change.holders : change.keys) copy.remove(key);
    return copy;
  }
  const facts = changedFacts(node.facts, change);
  return facts === node.facts ? node : node.clone(facts);
}

function changedFacts(facts: NodeFacts, change: Change): NodeFacts {
  switch (change.type) {
    case "ready":
      return { ...facts, ready: true };
    case "pod network":
      return { ...facts, podNetwork: "" };
    case "published ports":
      return { ...facts, publishes: true };
    case "uncordon":
      return { ...facts, cordoned: false };
    case "driver":
      return { ...facts, drivers: { ...facts.drivers, [change.driver]: "" } };
    case "free amount": {
      const field = FIELD[change.amount];
      return { ...facts, allocatable: { ...facts.allocatable, [field]: facts.allocatable[field] + change.by } };
    }
    default:
      return facts;
  }
}
