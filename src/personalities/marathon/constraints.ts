/** Marathon's placement rules: what makes one valid, and what it means to the scheduler (specification 1.3). */
import { RE2JS } from "re2js";
import type { Constraint, PodSelection } from "../../model/constraint.ts";
import { NODE_LABEL } from "../../model/well-known.ts";
import type { Violation } from "./errors.ts";

const OPERATORS: ReadonlySet<string> = new Set(["UNIQUE", "CLUSTER", "GROUP_BY", "LIKE", "MAX_PER", "UNLIKE", "IS"]);

export function constraintViolations(constraints: readonly (readonly string[])[]): readonly Violation[] {
  return constraints.flatMap((constraint, i) => {
    const message = problemOf(constraint);
    return message === undefined ? [] : [{ field: `/constraints(${i})`, message }];
  });
}

function problemOf(constraint: readonly string[]): string | undefined {
  const [field, operator = "", value] = constraint;
  if (constraint.length < 2 || constraint.length > 3) return "Each constraint must have either 2 or 3 fields";
  if (!field) return "illegal constraint specification";
  if (!OPERATORS.has(operator)) {
    return "operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS";
  }
  return valueProblem(operator, value);
}

function valueProblem(operator: string, value: string | undefined): string | undefined {
  switch (operator) {
    case "UNIQUE":
      return value === undefined ? undefined : "UNIQUE does not accept a value";
    case "GROUP_BY":
      return value === undefined || isInteger(value)
        ? undefined
        : "GROUP BY must define an integer value or else no value at all";
    case "MAX_PER":
      return value !== undefined && isInteger(value) ? undefined : "MAX_PER requires an integer value";
    case "LIKE":
    case "UNLIKE":
      if (!value) return "LIKE and UNLIKE require a non-empty, regular expression value";
      return isPattern(value) ? undefined : `'${value}' is not a valid regular expression`;
    case "IS":
      return value !== undefined && /^[a-zA-Z0-9_/.-]*$/.test(value)
        ? undefined
        : "IS only supports Mesos text and float values (see http://mesos.apache.org/documentation/latest/attributes-resources/)";
    default:
      return undefined;
  }
}

function isInteger(text: string): boolean {
  return text === "inf" || /^[+-]?\d{1,9}$/.test(text);
}

/** RE2's syntax: linear time, so without backreferences and lookaround. */
function isPattern(text: string): boolean {
  try {
    RE2JS.compile(text);
    return true;
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw error;
    return false;
  }
}

/** `pods` selects the app's own instances; `instances` is how many the app wants. */
export function translateConstraint(rule: readonly string[], pods: PodSelection, instances: number): Constraint {
  const [field = "", operator = "", value] = rule;
  const from = JSON.stringify(rule);
  const key = topologyKeyOf(field);
  switch (operator) {
    case "UNIQUE":
      return { type: "atMost", topologyKey: key, count: 1, pods, from };
    case "MAX_PER":
      return { type: "atMost", topologyKey: key, count: Math.max(0, integer(value)), pods, from };
    case "CLUSTER":
      return value ? { type: "in", key, values: [value], from } : { type: "sameValue", topologyKey: key, pods, from };
    case "GROUP_BY":
      // Without a value Marathon's documentation promises an even spread that never blocks.
      return value === undefined
        ? { type: "spread", topologyKey: key, pods, maxSkew: 1, preferred: 100, from }
        : { type: "spread", topologyKey: key, pods, groups: Math.max(0, integer(value)), total: instances, from };
    case "UNLIKE":
      return { type: "notMatches", key, pattern: value ?? "", from };
    case "LIKE":
      return { type: "matches", key, pattern: value ?? "", from };
    default:
      return { type: "in", key, values: spellingsOf(value ?? ""), from };
  }
}

/** Marathon's names for what Kubernetes has labels for; any other name is an agent attribute, here a label of that name. */
export function topologyKeyOf(field: string): string {
  switch (field) {
    case "hostname":
    case "@hostname":
      return NODE_LABEL.hostname;
    case "@region":
      return NODE_LABEL.region;
    case "@zone":
      return NODE_LABEL.zone;
    default:
      return field;
  }
}

function integer(value: string | undefined): number {
  return value === "inf" ? Number.MAX_SAFE_INTEGER : Number(value ?? 0);
}

/** IS compares scalars as `0.###`: `1.0` is `1`. */
function spellingsOf(value: string): readonly string[] {
  if (!/^-?\d+(\.\d+)?$/.test(value)) return [value];
  const scalar = String(Number(Number(value).toFixed(3)));
  return scalar === value ? [value] : [value, scalar];
}
