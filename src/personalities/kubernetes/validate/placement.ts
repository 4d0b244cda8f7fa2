import { RE2JS, RE2JSException } from "re2js";
import type { Constraint, LabelRequirement, LabelSelector } from "../../../model/constraint.ts";
import type { PodAffinityTerm, PodSpec, Toleration } from "../../../model/pod.ts";
import { type FieldError, invalidValue, notAllowed, required, unsupported } from "./field-errors.ts";
import { labelValue, qualifiedName } from "./names.ts";

/** Where a pod may go: tolerations, affinity, spread, and the extension `constraints`. */
export function validatePlacement(spec: PodSpec, path: string): readonly FieldError[] {
  return [
    ...(spec.tolerations ?? []).flatMap((toleration, at) =>
      validateToleration(toleration, `${path}.tolerations[${at}]`),
    ),
    ...validateAffinity(spec, `${path}.affinity`),
    ...(spec.topologySpreadConstraints ?? []).flatMap((spread, at) => {
      const field = `${path}.topologySpreadConstraints[${at}]`;
      const errors: FieldError[] = [];
      if (!((spread.maxSkew ?? 0) > 0))
        errors.push(invalidValue(`${field}.maxSkew`, spread.maxSkew, "must be greater than zero"));
      if (!spread.topologyKey) errors.push(required(`${field}.topologyKey`, "can not be empty"));
      if (spread.whenUnsatisfiable !== "DoNotSchedule" && spread.whenUnsatisfiable !== "ScheduleAnyway") {
        errors.push(
          unsupported(`${field}.whenUnsatisfiable`, spread.whenUnsatisfiable ?? "", [
            "DoNotSchedule",
            "ScheduleAnyway",
          ]),
        );
      }
      return [...errors, ...validateSelector(spread.labelSelector, `${field}.labelSelector`)];
    }),
    ...(spec.constraints ?? []).flatMap((constraint, at) =>
      validateConstraint(constraint, `${path}.constraints[${at}]`),
    ),
  ];
}

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"] as const;

function validateToleration(toleration: Toleration, path: string): readonly FieldError[] {
  const { key, operator, value, effect, tolerationSeconds } = toleration;
  const errors: FieldError[] = [];
  if (key) errors.push(...qualifiedName(key).map((why) => invalidValue(`${path}.key`, key, why)));
  else if (operator !== "Exists") {
    errors.push(
      invalidValue(
        `${path}.operator`,
        operator ?? "",
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    );
  }
  if (tolerationSeconds !== undefined && effect !== "NoExecute") {
    errors.push(
      invalidValue(`${path}.effect`, effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set"),
    );
  }
  if (operator && operator !== "Exists" && operator !== "Equal") {
    errors.push(unsupported(`${path}.operator`, operator, ["Equal", "Exists"]));
  }
  if (operator === "Exists" && value) {
    errors.push(
      invalidValue(`${path}.operator`, { key, operator, value }, "value must be empty when `operator` is 'Exists'"),
    );
  }
  if (effect && !(EFFECTS as readonly string[]).includes(effect)) {
    errors.push(unsupported(`${path}.effect`, effect, EFFECTS));
  }
  return errors;
}

function validateAffinity({ affinity }: PodSpec, path: string): readonly FieldError[] {
  if (!affinity) return [];
  const errors: FieldError[] = [];
  const node = affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const nodePath = `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  if (node && !node.nodeSelectorTerms?.length) {
    errors.push(required(nodePath, "must have at least one node selector term"));
  }
  node?.nodeSelectorTerms?.forEach((term, at) => {
    errors.push(
      ...validateExpressions(term.matchExpressions ?? [], `${nodePath}[${at}].matchExpressions`, NODE_OPERATORS),
    );
  });
  for (const side of ["podAffinity", "podAntiAffinity"] as const) {
    const hard = affinity[side]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const soft = affinity[side]?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const hardPath = `${path}.${side}.requiredDuringSchedulingIgnoredDuringExecution`;
    const softPath = `${path}.${side}.preferredDuringSchedulingIgnoredDuringExecution`;
    hard.forEach((term, at) => {
      errors.push(...validateTerm(term, `${hardPath}[${at}]`));
    });
    soft.forEach(({ weight, podAffinityTerm }, at) => {
      if (!(weight >= 1 && weight <= 100)) {
        errors.push(invalidValue(`${softPath}[${at}].weight`, weight, "must be in the range 1-100"));
      }
      errors.push(...validateTerm(podAffinityTerm ?? {}, `${softPath}[${at}].podAffinityTerm`));
    });
  }
  return errors;
}

function validateTerm(term: Partial<PodAffinityTerm>, path: string): readonly FieldError[] {
  return [
    ...(term.topologyKey ? [] : [required(`${path}.topologyKey`, "can not be empty")]),
    ...validateSelector(term.labelSelector, `${path}.labelSelector`),
  ];
}

const SELECTOR_OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;
const NODE_OPERATORS = [...SELECTOR_OPERATORS, "Gt", "Lt"] as const;

export function validateSelector(selector: LabelSelector | undefined, path: string): readonly FieldError[] {
  if (!selector) return [];
  return [
    ...Object.entries(selector.matchLabels ?? {}).flatMap(([key, value]) => [
      ...qualifiedName(key).map((why) => invalidValue(`${path}.matchLabels`, key, why)),
      ...labelValue(value).map((why) => invalidValue(`${path}.matchLabels`, value, why)),
    ]),
    ...validateExpressions(selector.matchExpressions ?? [], `${path}.matchExpressions`, SELECTOR_OPERATORS),
  ];
}

function validateExpressions(
  expressions: readonly Partial<LabelRequirement>[],
  path: string,
  operators: readonly string[],
): readonly FieldError[] {
  return expressions.flatMap(({ key, operator, values = [] }, at) => {
    const field = `${path}[${at}]`;
    const errors = key
      ? qualifiedName(key).map((why) => invalidValue(`${field}.key`, key, why))
      : [required(`${field}.key`)];
    if (!operator || !operators.includes(operator)) {
      errors.push(unsupported(`${field}.operator`, operator ?? "", operators));
    } else if ((operator === "In" || operator === "NotIn") && values.length === 0) {
      errors.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0) {
      errors.push(notAllowed(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else if ((operator === "Gt" || operator === "Lt") && values.length !== 1) {
      errors.push(required(`${field}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
    return errors;
  });
}

/** Which fields each type of the extension `constraints` cannot do without. */
const CONSTRAINT_FIELDS: Readonly<Record<Constraint["type"], readonly string[]>> = {
  in: ["key", "values"],
  notIn: ["key", "values"],
  exists: ["key"],
  notExists: ["key"],
  greater: ["key", "than"],
  less: ["key", "than"],
  matches: ["key", "pattern"],
  notMatches: ["key", "pattern"],
  machine: ["id"],
  spread: ["topologyKey", "pods"],
  atMost: ["topologyKey", "count", "pods"],
  sameValue: ["topologyKey", "pods"],
  together: ["topologyKey", "pods"],
  apart: ["topologyKey", "pods"],
  resident: ["nodeName"],
};

function validateConstraint(constraint: Constraint, path: string): readonly FieldError[] {
  const { type, preferred } = constraint;
  const needed = type !== undefined && Object.hasOwn(CONSTRAINT_FIELDS, type) ? CONSTRAINT_FIELDS[type] : undefined;
  if (!needed) return [unsupported(`${path}.type`, type ?? "", Object.keys(CONSTRAINT_FIELDS))];
  const fields = constraint as unknown as Readonly<Record<string, unknown>>;
  const errors = needed.filter((name) => fields[name] === undefined).map((name) => required(`${path}.${name}`));
  if (preferred !== undefined && !(preferred >= 1 && preferred <= 100)) {
    errors.push(invalidValue(`${path}.preferred`, preferred, "must be in the range 1-100"));
  }
  if (constraint.type === "matches" || constraint.type === "notMatches") {
    const why = patternProblem(constraint.pattern ?? "");
    if (why !== undefined) errors.push(invalidValue(`${path}.pattern`, constraint.pattern, why));
  }
  const { pods } = fields as { pods?: { by?: string; selector?: LabelSelector; glob?: string } };
  if (pods?.by === "labels")
    errors.push(
      ...(pods.selector
        ? validateSelector(pods.selector, `${path}.pods.selector`)
        : [required(`${path}.pods.selector`)]),
    );
  else if (pods?.by === "workload") errors.push(...(pods.glob === undefined ? [required(`${path}.pods.glob`)] : []));
  else if (pods) errors.push(unsupported(`${path}.pods.by`, pods.by ?? "", ["labels", "workload"]));
  return errors;
}

/** Patterns run on an engine that takes linear time; what it cannot run is refused here, not when a pod waits for a node. */
function patternProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof RE2JSException) return error.message;
    throw error;
  }
}
