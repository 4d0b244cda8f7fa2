/** Which pods a constraint counts: a label selector, or a glob over workload names (fleet's Conflicts), within one namespace or all. */
export type PodSelection =
  | { readonly by: "labels"; readonly selector: LabelSelector; readonly namespaces?: readonly string[] }
  | { readonly by: "workload"; readonly glob: string; readonly dialect?: string };

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelRequirement[];
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
  readonly values?: readonly string[];
}

/**
 * A placement rule, closed: every dialect's rules compile to these. `from` is the rule as its user wrote it
 * (`MachineMetadata=disk=ssd`, `["hostname","UNIQUE"]`), for `styr why`. `topologyKey` is a node label;
 * `kubernetes.io/hostname` is the node itself. A constraint is hard unless `preferred` gives it a weight (1-100).
 */
export type Constraint = { readonly from?: string; readonly preferred?: number } & (
  | { readonly type: "in"; readonly key: string; readonly values: readonly string[] }
  | { readonly type: "notIn"; readonly key: string; readonly values: readonly string[] }
  | { readonly type: "exists"; readonly key: string }
  | { readonly type: "notExists"; readonly key: string }
  | { readonly type: "greater"; readonly key: string; readonly than: number }
  | { readonly type: "less"; readonly key: string; readonly than: number }
  /** Whole-value match (Marathon LIKE), RE2 syntax: linear time whatever the pattern. A node without the label never matches. */
  | { readonly type: "matches"; readonly key: string; readonly pattern: string }
  /** Marathon UNLIKE: a node without the label passes. */
  | { readonly type: "notMatches"; readonly key: string; readonly pattern: string }
  /** This one machine: its machine id, or the id's first 8 characters (fleet MachineID). */
  | { readonly type: "machine"; readonly id: string }
  /** Even spread over the values of a label. With `groups`, exactly Marathon's GROUP_BY n; otherwise Kubernetes' maxSkew. */
  | {
      readonly type: "spread";
      readonly topologyKey: string;
      readonly pods: PodSelection;
      readonly maxSkew?: number;
      readonly minDomains?: number;
      readonly groups?: number;
      /** How many copies the workload wants; needed with `groups`. */
      readonly total?: number;
    }
  /** At most `count` of the selected pods per value of the label (Marathon UNIQUE is 1, MAX_PER n). */
  | { readonly type: "atMost"; readonly topologyKey: string; readonly count: number; readonly pods: PodSelection }
  /** All selected pods share one value of the label; the first chooses (Marathon CLUSTER without a value). */
  | { readonly type: "sameValue"; readonly topologyKey: string; readonly pods: PodSelection }
  /** Only where a selected pod is (fleet MachineOf; pod affinity). `orFirst`: when none exists and this pod is itself selected, it may start the group (Kubernetes). */
  | { readonly type: "together"; readonly topologyKey: string; readonly pods: PodSelection; readonly orFirst?: boolean }
  /** Only where no selected pod is, and none that rules this one out: binding both ways (fleet Conflicts; anti-affinity). */
  | { readonly type: "apart"; readonly topologyKey: string; readonly pods: PodSelection }
  /** Stays on the node it has run on (Marathon residency). */
  | { readonly type: "resident"; readonly nodeName: string }
);
