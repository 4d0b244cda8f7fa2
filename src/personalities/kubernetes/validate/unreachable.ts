/** What a user says about the loss of a pod's node: our fields, and the annotations that stand for them where only Kubernetes' own may be sent. */
import type { ObjectMeta } from "../../../model/meta.ts";
import type { Pod, PodSpec } from "../../../model/pod.ts";
import type { ReplicationController } from "../../../model/replication-controller.ts";
import {
  EXCLUSIVE_ANNOTATION,
  isExclusive,
  parseUnreachableRule,
  WHEN_UNREACHABLE_ANNOTATION,
} from "../../../model/when-unreachable.ts";
import { type FieldError, immutable, invalidValue, required, unsupported } from "./field-errors.ts";
import { negative } from "./probes.ts";

/** An annotation that cannot be understood is refused: who asks for it has to be sure that it is kept. */
export function validateUnreachableAnnotations(
  annotations: ObjectMeta["annotations"],
  path = "metadata.annotations",
): readonly FieldError[] {
  const exclusive = annotations?.[EXCLUSIVE_ANNOTATION];
  const rule = annotations?.[WHEN_UNREACHABLE_ANNOTATION];
  const errors: FieldError[] = [];
  if (exclusive !== undefined && exclusive !== "true" && exclusive !== "false")
    errors.push(unsupported(`${path}[${EXCLUSIVE_ANNOTATION}]`, exclusive, ["true", "false"]));
  if (rule !== undefined && parseUnreachableRule(rule) === undefined) {
    const why = "must be keep, replace, or a duration such as 5m: replaced that long after the node became unreachable";
    errors.push(invalidValue(`${path}[${WHEN_UNREACHABLE_ANNOTATION}]`, rule, why));
  }
  return errors;
}

export function validateUnreachableRule({ whenUnreachable: rule }: PodSpec, path: string): readonly FieldError[] {
  if (!rule) return [];
  const field = `${path}.whenUnreachable`;
  if (rule.action !== "replace" && rule.action !== "keep") {
    const given = (rule as { action?: string }).action;
    return [given ? unsupported(`${field}.action`, given, ["keep", "replace"]) : required(`${field}.action`)];
  }
  if (rule.action === "keep") return [];
  if (rule.afterMs === undefined) return [required(`${field}.afterMs`)];
  return rule.afterMs < 0 ? [negative(`${field}.afterMs`, rule.afterMs)] : [];
}

/** Server and agent act on it at different moments: a pod is one or the other for life. */
export function keepsExclusive(after: Pod, before: Pod): readonly FieldError[] {
  if (isExclusive(after) === isExclusive(before)) return [];
  return [
    immutable(`metadata.annotations[${EXCLUSIVE_ANNOTATION}]`, after.metadata.annotations?.[EXCLUSIVE_ANNOTATION]),
  ];
}

/** At most one at any instant is what the word means. */
export function validateExclusiveReplicas({
  replicas,
  template,
}: ReplicationController["spec"]): readonly FieldError[] {
  if (!template?.spec || (replicas ?? 1) <= 1 || !isExclusive(template)) return [];
  return [invalidValue("spec.replicas", replicas, "an exclusive template may have one replica at most")];
}
