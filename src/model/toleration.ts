/** Which taints a pod bears, and for how long. Kubernetes' rules: k8s.io/api/core/v1 Toleration.ToleratesTaint. */
import { CORDON_TAINT, type Taint } from "./node.ts";
import type { Toleration } from "./pod.ts";

/** No key with Exists tolerates everything; no effect means every effect; a value has to be the taint's. */
export function tolerates({ key, operator = "Equal", value = "", effect }: Toleration, taint: Taint): boolean {
  return (
    (!effect || effect === taint.effect) &&
    (!key ? operator === "Exists" : key === taint.key) &&
    (operator === "Exists" || value === (taint.value ?? ""))
  );
}

export function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some((toleration) => tolerates(toleration, taint));
}

/**
 * Whether a pod may be placed on a cordoned node, and stays there in a drain. It has to name the taint: what tolerates
 * everything would come back to every node that is emptied.
 */
export function toleratesCordon(tolerations: readonly Toleration[]): boolean {
  return tolerations.some((toleration) => toleration.key === CORDON_TAINT.key && tolerates(toleration, CORDON_TAINT));
}

/** How long a pod stays beside a taint: 0 when nothing tolerates it, the shortest of what does, Infinity without seconds. */
export function toleratedMs(taint: Taint, tolerations: readonly Toleration[]): number {
  const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
  if (matching.length === 0) return 0;
  const limits = matching.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
  return Math.max(0, Math.min(...limits)) * 1000;
}
