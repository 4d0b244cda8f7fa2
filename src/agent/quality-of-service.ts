import { bytes } from "../lib/quantity.ts";
import type { Container, Pod } from "../model/pod.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** Kubernetes' rule: Guaranteed when every container has limits for both resources and requests equal to them. */
export function qosClassOf(pod: Pod): QosClass {
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const asks = all.some(({ resources }) =>
    ["cpu", "memory"].some((key) => isAsked(resources?.requests?.[key]) || isAsked(resources?.limits?.[key])),
  );
  if (!asks) return "BestEffort";
  return all.every(isGuaranteed) ? "Guaranteed" : "Burstable";
}

function isAsked(quantity: string | undefined): boolean {
  return quantity !== undefined && quantity !== "0";
}

function isGuaranteed({ resources }: Container): boolean {
  return ["cpu", "memory"].every((key) => {
    const limit = resources?.limits?.[key];
    return isAsked(limit) && (resources?.requests?.[key] ?? limit) === limit;
  });
}

/** Who goes first when memory runs out. Source: kubelet qos.GetContainerOOMScoreAdjust. */
export function oomScoreAdjust(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  const qos = qosClassOf(pod);
  if (qos === "Guaranteed") return -997;
  if (qos === "BestEffort") return 1000;
  const requested = bytes(container.resources?.requests?.memory ?? container.resources?.limits?.memory);
  const score = 1000 - Math.floor((1000 * requested) / Math.max(1, memoryCapacityBytes));
  return Math.min(999, Math.max(3, score));
}
