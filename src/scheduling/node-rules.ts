import type { Constraint } from "../model/constraint.ts";
import { meetsRequirement } from "../model/label-selector.ts";
import type { NodeSelectorTerm, PodSpec } from "../model/pod.ts";
import { NODE_LABEL } from "../model/well-known.ts";
import type { NodeFacts } from "./node-facts.ts";
import { compilePattern } from "./patterns.ts";
import type { FilterName } from "./refusal.ts";

/** A rule that looks at the node alone. */
export interface NodeRule {
  readonly filter: FilterName & ("labels" | "machine" | "resident");
  /** The rule as its user wrote it. */
  readonly from: string;
  /** Labels it reads. */
  readonly keys: readonly string[];
  /** It tells apart nodes that are otherwise alike (by name, host name or machine id). */
  readonly perNode: boolean;
  admits(node: NodeFacts): boolean;
}

export type NodePreference = NodeRule & { readonly weight: number };

interface NodeRules {
  readonly hard: readonly NodeRule[];
  readonly soft: readonly NodePreference[];
}

export function compileNodeRules(spec: PodSpec): NodeRules {
  const hard: NodeRule[] = [];
  const soft: NodePreference[] = [];
  for (const key of Object.keys(spec.nodeSelector ?? {}).sort()) {
    const value = spec.nodeSelector?.[key] as string;
    hard.push(labelRule(`nodeSelector ${key}=${value}`, key, (found) => found === value));
  }
  const affinity = spec.affinity?.nodeAffinity;
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required) hard.push(termsRule("nodeAffinity", required.nodeSelectorTerms));
  for (const { weight, preference } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
    soft.push({ ...termsRule("preferred nodeAffinity", [preference]), weight });
  }
  for (const constraint of spec.constraints ?? []) {
    const rule = constraintRule(constraint);
    if (!rule) continue;
    if (constraint.preferred === undefined) hard.push(rule);
    else soft.push({ ...rule, weight: constraint.preferred });
  }
  return { hard, soft };
}

/** A node without a hostname label is known by its name. */
function labelOf(node: NodeFacts, key: string): string | undefined {
  return node.labels[key] ?? (key === NODE_LABEL.hostname ? node.name : undefined);
}

function labelRule(from: string, key: string, holds: (value: string | undefined) => boolean): NodeRule {
  const perNode = key === NODE_LABEL.hostname;
  return { filter: "labels", from, keys: [key], perNode, admits: (node) => holds(labelOf(node, key)) };
}

/** Terms are alternatives; inside a term everything must hold; a term that asks for nothing matches nothing (Kubernetes). */
function termsRule(what: string, terms: readonly NodeSelectorTerm[]): NodeRule {
  const words = terms.map(termWords).join(" or ");
  const keys = terms.flatMap(({ matchExpressions = [] }) => matchExpressions.map(({ key }) => key));
  return {
    filter: "labels",
    from: `${what} ${words}`,
    keys,
    perNode: keys.includes(NODE_LABEL.hostname) || terms.some(({ matchFields }) => (matchFields?.length ?? 0) > 0),
    admits: (node) => terms.some((term) => admitsTerm(term, node)),
  };
}

function admitsTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: NodeFacts): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => meetsRequirement(labelOf(node, requirement.key), requirement)) &&
    matchFields.every((field) => field.key === "metadata.name" && meetsRequirement(node.name, field))
  );
}

function termWords({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): string {
  const all = [...matchExpressions, ...matchFields];
  return all
    .map(({ key, operator, values }) => `${key} ${operator}${values ? ` ${values.join(",")}` : ""}`)
    .join(" and ");
}

function constraintRule(constraint: Constraint): NodeRule | undefined {
  const from = (words: string) => constraint.from ?? words;
  switch (constraint.type) {
    case "in": {
      const { key, values } = constraint;
      return labelRule(from(`${key} in ${values.join(",")}`), key, (v) => v !== undefined && values.includes(v));
    }
    case "notIn": {
      const { key, values } = constraint;
      return labelRule(from(`${key} not in ${values.join(",")}`), key, (v) => v === undefined || !values.includes(v));
    }
    case "exists":
      return labelRule(from(`has ${constraint.key}`), constraint.key, (v) => v !== undefined);
    case "notExists":
      return labelRule(from(`has no ${constraint.key}`), constraint.key, (v) => v === undefined);
    case "greater": {
      const { key, than } = constraint;
      return labelRule(from(`${key} > ${than}`), key, (v) => isNumber(v) && Number(v) > than);
    }
    case "less": {
      const { key, than } = constraint;
      return labelRule(from(`${key} < ${than}`), key, (v) => isNumber(v) && Number(v) < than);
    }
    case "matches": {
      const matches = compilePattern(constraint.pattern);
      const words = from(`${constraint.key} matches ${constraint.pattern}`);
      return labelRule(words, constraint.key, (v) => v !== undefined && matches(v));
    }
    case "notMatches": {
      const matches = compilePattern(constraint.pattern);
      const words = from(`${constraint.key} does not match ${constraint.pattern}`);
      return labelRule(words, constraint.key, (v) => v === undefined || !matches(v));
    }
    case "machine": {
      const { id } = constraint;
      // fleet takes the full id or its first eight characters (job.go).
      const admits = ({ machineId }: NodeFacts) => machineId === id || machineId.slice(0, 8) === id;
      return { filter: "machine", from: from(`machine ${id}`), keys: [], perNode: true, admits };
    }
    case "resident": {
      const { nodeName } = constraint;
      const admits = ({ name }: NodeFacts) => name === nodeName;
      return { filter: "resident", from: from(`stays on ${nodeName}`), keys: [], perNode: true, admits };
    }
    default:
      return undefined;
  }
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== "" && Number.isFinite(Number(text));
}
