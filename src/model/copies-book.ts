/** Who keeps a pod's copies, and how they may be moved. */
import { type Copies, type CopiesRule, copiesRule } from "./copies.ts";
import { controllerOf, type OwnerReference } from "./meta.ts";
import type { Pod } from "./pod.ts";
import { replicationControllers } from "./replication-controller.ts";
import { ANNOTATION } from "./well-known.ts";
import { isExclusive } from "./when-unreachable.ts";
import type { WorkloadReader } from "./workload.ts";

const replicatedCopies: CopiesRule = copiesRule(replicationControllers, ({ spec }) => ({
  wanted: spec.replicas,
  // The template may have become so after its pod was made.
  moves: isExclusive(spec.template) ? "stop first" : "start first",
  minReadyMs: (spec.minReadySeconds ?? 0) * 1000,
}));

/** What is known of one pod's workload. */
export interface Kept {
  /** Undefined: nobody would start it elsewhere. */
  readonly owner: OwnerReference | undefined;
  /** Undefined: kept by something that has no rule; its copies are judged by what is there. */
  readonly copies: Copies | undefined;
  readonly moves: Copies["moves"] | "nobody's";
}

export class CopiesBook {
  readonly #rules: ReadonlyMap<string, CopiesRule>;

  /** Beside ReplicationController, whose rule is known here. */
  constructor(rules: readonly CopiesRule[]) {
    this.#rules = new Map([replicatedCopies, ...rules].map((rule) => [rule.owner, rule]));
  }

  keptBy(reader: WorkloadReader, pod: Pod): Kept {
    const owner = controllerOf(pod);
    if (!owner) return { owner, copies: undefined, moves: "nobody's" };
    const rule = this.#rules.get(owner.kind);
    const copies = rule?.copiesOf(reader, owner, pod.metadata.namespace ?? "");
    if (rule && !copies) return { owner, copies, moves: "nobody's" };
    if (copies?.moves === "stays") return { owner, copies, moves: "stays" };
    return { owner, copies, moves: isExclusive(pod) ? "stop first" : (copies?.moves ?? "start first") };
  }
}

/** As its user calls it. */
export function workloadNameOf(pod: Pod): string {
  return pod.metadata.annotations?.[ANNOTATION.workload] ?? controllerOf(pod)?.name ?? pod.metadata.name;
}
