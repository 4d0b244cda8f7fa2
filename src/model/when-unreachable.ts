/** What becomes of a pod whose node is silent for too long, as its user wrote it in whatever dialect. */
import { parseDurationMs } from "../lib/duration.ts";
import type { Pod, PodSpec, Toleration } from "./pod.ts";
import { toleratedMs } from "./toleration.ts";

export { EXCLUSIVE_ANNOTATION, isExclusive } from "./exclusive.ts";

/** `afterMs` counts from the moment the node is unreachable. */
export type UnreachableRule =
  | { readonly action: "replace"; readonly afterMs: number }
  /** It waits for its node, or for a person. */
  | { readonly action: "keep" };

/** On a pod (template): `replace`, `keep`, or a duration (`5m`): replaced that long after its node became unreachable. */
export const WHEN_UNREACHABLE_ANNOTATION = "styrmann.dev/when-unreachable";

type PodLike = { readonly metadata?: Pick<Pod["metadata"], "annotations"> | undefined; readonly spec: PodSpec };

/** The pod's own field, then the annotation, then what its tolerations say, then: replace at once. */
export function unreachableRuleOf(pod: PodLike): UnreachableRule {
  const { spec, metadata } = pod;
  if (spec.whenUnreachable !== undefined) return spec.whenUnreachable;
  const text = metadata?.annotations?.[WHEN_UNREACHABLE_ANNOTATION];
  return (text === undefined ? undefined : parseUnreachableRule(text)) ?? ruleOfTolerations(spec.tolerations ?? []);
}

/** What Marathon's 32-bit seconds can say: who means longer means `keep`. */
export const LONGEST_AFTER_MS = (2 ** 31 - 1) * 1000;

/** Undefined when it is none of `replace`, `keep`, or a duration of 68 years at most. */
export function parseUnreachableRule(text: string): UnreachableRule | undefined {
  if (text === "keep") return { action: "keep" };
  if (text === "replace") return { action: "replace", afterMs: 0 };
  const afterMs = parseDurationMs(text);
  return afterMs === undefined || afterMs > LONGEST_AFTER_MS ? undefined : { action: "replace", afterMs };
}

const UNREACHABLE_TAINT = { key: "node.kubernetes.io/unreachable", effect: "NoExecute" } as const;

function ruleOfTolerations(tolerations: readonly Toleration[]): UnreachableRule {
  const afterMs = toleratedMs(UNREACHABLE_TAINT, tolerations);
  return afterMs === Number.POSITIVE_INFINITY ? { action: "keep" } : { action: "replace", afterMs };
}
