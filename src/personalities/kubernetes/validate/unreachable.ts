/** What a user says about the loss of a pod's node: our fields, and the annotations that stand for them where only Kubernetes' own may be sent. */
import type { ObjectMeta } from "../../../model/meta.ts";
import type { Pod, PodSpec } from "../../../model/pod.ts";
import type { ReplicationController } from "../../../model/replication-controller.ts";
import {
  EXCLUSIVE_ANNOTATION,
  isExclusive,
  LONGEST_AFTER_MS,
  parseUnreachableRule,
  WHEN_UNREACHABLE_ANNOTATION,
} from "../../../model/when-unreachable.ts";
import { type FieldError, immutable, invalidValue, notAllowed, required, unsupported } from "./field-errors.ts";
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
    const why =
      "must be keep, replace, or a duration such as 5m (2147483647s at most): replaced that long after the node became unreachable";
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
  const { afterMs } = rule as { readonly afterMs?: number };
  if (rule.action === "keep")
    return afterMs === undefined ? [] : [notAllowed(`${field}.afterMs`, "may not be set when `action` is keep")];
  if (afterMs === undefined) return [required(`${field}.afterMs`)];
  if (afterMs > LONGEST_AFTER_MS)
    return [invalidValue(`${field}.afterMs`, afterMs, `must be less than or equal to ${LONGEST_AFTER_MS}`)];
  return afterMs < 0 ? [negative(`${field}.afterMs`, afterMs)] : [];
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
