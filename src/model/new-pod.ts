/** What every new pod gets, whoever makes it. Source: Kubernetes' pod strategy and its DefaultTolerationSeconds admission. */
import { parseQuantity } from "../lib/quantity.ts";
import type { Container, PodSpec, PodStatus, Toleration } from "./pod.ts";

type QosClass = NonNullable<PodStatus["qosClass"]>;

const EVICTION_DELAY_SECONDS = 300;
const NODE_TROUBLES = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] as const;

/** The status of a pod nobody has looked at yet. */
export function initialPodStatus(spec: PodSpec): PodStatus {
  return { phase: "Pending", qosClass: qosClassOf(spec) };
}

/** Guaranteed: cpu and memory limits everywhere, equal to the requests. BestEffort: nothing asked for anywhere. */
function qosClassOf(spec: PodSpec): QosClass {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  if (containers.every(asksNothing)) return "BestEffort";
  return containers.every(isGuaranteed) ? "Guaranteed" : "Burstable";
}

const COUNTED = ["cpu", "memory"] as const;

function asksNothing({ resources }: Container): boolean {
  return COUNTED.every((name) => amount(resources?.requests, name) === 0 && amount(resources?.limits, name) === 0);
}

function isGuaranteed({ resources }: Container): boolean {
  return COUNTED.every((name) => {
    const limit = amount(resources?.limits, name);
    const request = resources?.requests?.[name] === undefined ? limit : amount(resources.requests, name);
    return limit > 0 && request === limit;
  });
}

function amount(of: Readonly<Record<string, string>> | undefined, name: string): number {
  return parseQuantity(of?.[name] ?? "0") ?? 0;
}

/** Adds the tolerations that let a pod stay five minutes on a node in trouble, unless it says something else about them. */
export function withDefaultTolerations(spec: PodSpec): PodSpec {
  const present = spec.tolerations ?? [];
  const added = NODE_TROUBLES.filter((key) => !present.some((toleration) => covers(toleration, key))).map(
    (key): Toleration => ({
      key,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: EVICTION_DELAY_SECONDS,
    }),
  );
  return added.length === 0 ? spec : { ...spec, tolerations: [...present, ...added] };
}

/** That admission looks at neither operator nor value: who writes about the taint at all is left alone. */
function covers({ key, effect }: Toleration, wanted: string): boolean {
  return (!key || key === wanted) && (!effect || effect === "NoExecute");
}
