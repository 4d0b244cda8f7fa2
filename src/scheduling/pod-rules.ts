import type { Constraint, LabelSelector } from "../model/constraint.ts";
import type { PodAffinityTerm, PodSpec } from "../model/pod.ts";
import { NODE_LABEL } from "../model/well-known.ts";
import { compileSelection, type PodIdentity, peersSelection, type Selection } from "./selection.ts";

/** A rule that looks at pods that have their place. Hard, or with a weight a preference. */
export type PodRule = {
  /** The rule as its user wrote it. */
  readonly from: string;
  readonly topologyKey: string;
  readonly selection: Selection;
  readonly selectsSelf: boolean;
  /** Millionths of a full node that breaking a preference costs: once, or for `spread` per pod in excess. */
  readonly cost: number;
  /** Nobody wrote it down: it comes with being one of several copies. */
  readonly unasked?: boolean;
} & (
  | { readonly type: "spread"; readonly maxSkew: number; readonly minDomains: number; readonly mostCost?: number }
  | { readonly type: "groups"; readonly groups: number; readonly total: number }
  | { readonly type: "atMost"; readonly count: number }
  | { readonly type: "sameValue" }
  | { readonly type: "together"; readonly orFirst: boolean }
  | { readonly type: "apart" }
);

interface PodRules {
  readonly hard: readonly PodRule[];
  readonly soft: readonly PodRule[];
}

/** A preference of weight 100 outweighs any difference in load, which is at most 1,000,000 millionths. */
const COST_PER_WEIGHT = 20_000;
/** Another copy on the same host weighs more than any load; a zone with more copies than another, as much as a full node. */
const PEER_ON_HOST = 2_000_000;
const PEERS_IN_ZONE = 1_000_000;

export function compilePodRules(spec: PodSpec, identity: PodIdentity): PodRules {
  const all = [
    ...affinityRules(spec, identity),
    ...topologySpread(spec, identity),
    ...(spec.constraints ?? []).flatMap((constraint) => constraintRule(constraint, identity) ?? []),
  ];
  const soft = all.filter(({ cost }) => cost > 0);
  return { hard: all.filter(({ cost }) => cost === 0), soft: [...soft, ...spreadOfCopies(identity)] };
}

/** Without being asked: copies of a workload keep to different hosts, and to different zones, where there is a choice. */
function spreadOfCopies({ peers }: PodIdentity): readonly PodRule[] {
  if (peers === undefined) return [];
  const shared = {
    type: "spread",
    selection: peersSelection(peers),
    selectsSelf: true,
    maxSkew: 1,
    minDomains: 0,
    unasked: true,
  } as const;
  return [
    { ...shared, from: "spread over hosts", topologyKey: NODE_LABEL.hostname, cost: PEER_ON_HOST },
    {
      ...shared,
      from: "spread over zones",
      topologyKey: NODE_LABEL.zone,
      cost: PEERS_IN_ZONE,
      mostCost: PEERS_IN_ZONE,
    },
  ];
}

function affinityRules({ affinity }: PodSpec, identity: PodIdentity): readonly PodRule[] {
  const rules: PodRule[] = [];
  for (const [field, type] of [
    ["podAffinity", "together"],
    ["podAntiAffinity", "apart"],
  ] as const) {
    const terms = affinity?.[field];
    for (const term of terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      rules.push(affinityRule(field, type, term, 0, identity));
    }
    for (const { weight, podAffinityTerm } of terms?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      rules.push(affinityRule(`preferred ${field}`, type, podAffinityTerm, weight * COST_PER_WEIGHT, identity));
    }
  }
  return rules;
}

function affinityRule(
  what: string,
  type: "together" | "apart",
  { labelSelector, topologyKey, namespaces }: PodAffinityTerm,
  cost: number,
  identity: PodIdentity,
): PodRule {
  const selection = labelSelector
    ? compileSelection(
        { by: "labels", selector: labelSelector, ...(namespaces ? { namespaces } : {}) },
        identity.namespace,
        { liveOnly: false },
      )
    : NOTHING;
  const shared = {
    from: `${what} ${selectorWords(labelSelector)} by ${topologyKey}`,
    topologyKey,
    selection,
    selectsSelf: selection.selects(identity),
    cost,
  };
  return type === "apart" ? { ...shared, type } : { ...shared, type, orFirst: true };
}

function topologySpread(spec: PodSpec, identity: PodIdentity): readonly PodRule[] {
  return (spec.topologySpreadConstraints ?? []).map((constraint) => {
    const { labelSelector, topologyKey, maxSkew, minDomains = 0, whenUnsatisfiable } = constraint;
    const selection = labelSelector
      ? compileSelection({ by: "labels", selector: labelSelector }, identity.namespace, { liveOnly: true })
      : NOTHING;
    return {
      type: "spread",
      from: `topologySpreadConstraints ${topologyKey} maxSkew ${maxSkew}`,
      topologyKey,
      selection,
      selectsSelf: selection.selects(identity),
      maxSkew,
      minDomains,
      cost: whenUnsatisfiable === "ScheduleAnyway" ? PEERS_IN_ZONE : 0,
    };
  });
}

/** A label selector that is absent selects nothing (Kubernetes), unlike one that is empty. */
const NOTHING: Selection = { key: "nothing", selects: () => false };

function selectorWords(selector: LabelSelector | undefined): string {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  const equal = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const rest = matchExpressions.map(({ key, operator, values }) =>
    `${key} ${operator} ${values?.join("|") ?? ""}`.trim(),
  );
  return [...equal, ...rest].join(",") || "any pod";
}

function constraintRule(constraint: Constraint, identity: PodIdentity): PodRule | undefined {
  if (!("pods" in constraint)) return undefined;
  const { topologyKey, pods, type } = constraint;
  // Marathon counts every placed instance, also those it is killing; Kubernetes' spread does not.
  const liveOnly = type === "spread" && constraint.groups === undefined;
  const selection = compileSelection(pods, identity.namespace, { liveOnly });
  const selectsSelf = selection.selects(identity);
  const cost = (constraint.preferred ?? 0) * COST_PER_WEIGHT;
  const of = pods.by === "workload" ? pods.glob : selectorWords(pods.selector);
  const shared = {
    from: constraint.from ?? `${type} ${of} by ${topologyKey}`,
    topologyKey,
    selection,
    selectsSelf,
    cost,
  };
  switch (type) {
    case "spread":
      // GROUP_BY 0 divides by zero in Marathon; as its documentation has it, it spreads and never blocks.
      if (constraint.groups !== undefined && constraint.groups > 0) {
        return { ...shared, type: "groups", groups: constraint.groups, total: constraint.total ?? 1 };
      }
      return {
        ...shared,
        type,
        maxSkew: constraint.maxSkew ?? 1,
        minDomains: constraint.minDomains ?? 0,
        cost: constraint.groups === undefined ? cost : PEERS_IN_ZONE,
      };
    case "atMost":
      return { ...shared, type, count: constraint.count };
    case "sameValue":
      return { ...shared, type };
    case "together":
      return { ...shared, type, orFirst: constraint.orFirst ?? false };
    case "apart":
      return { ...shared, type };
  }
}
