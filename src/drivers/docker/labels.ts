/** Marks on what is ours. They, and no memory, say after a restart what runs. */
import { createHash } from "node:crypto";
import type { ContainerRun, PodRun, RunRef } from "../driver.ts";

export const LABEL = {
  /** Which state directory made it: `styr down` removes what carries its own id, and only that. */
  instance: "dev.styrmann.instance",
  podUid: "dev.styrmann.pod-uid",
  /** `namespace/name`. */
  pod: "dev.styrmann.pod",
  workload: "dev.styrmann.workload",
  container: "dev.styrmann.container",
  attempt: "dev.styrmann.attempt",
  /** `app`, or `infra` for the container that holds a pod's address. */
  role: "dev.styrmann.role",
  address: "dev.styrmann.address",
  /** The network of the user's that it is on instead of the pods': its address is given by Docker. */
  network: "dev.styrmann.network",
  cpuRequest: "dev.styrmann.cpu-request",
  /** On containers that a unit or process of ours started itself: which run it belongs to. */
  unit: "dev.styrmann.unit",
} as const;

export type Labels = Readonly<Record<string, string>>;

export function appLabels(run: ContainerRun, instance: string, network?: string): Labels {
  return {
    ...podLabels(run.pod, instance),
    [LABEL.role]: "app",
    [LABEL.container]: run.ref.container,
    [LABEL.attempt]: String(run.ref.attempt),
    [LABEL.cpuRequest]: String(run.limits.cpuRequestMillis),
    ...(network === undefined ? {} : { [LABEL.network]: network }),
  };
}

export function infraLabels(pod: PodRun, instance: string): Labels {
  return { ...podLabels(pod, instance), [LABEL.role]: "infra" };
}

function podLabels(pod: PodRun, instance: string): Labels {
  return {
    [LABEL.instance]: instance,
    [LABEL.podUid]: pod.uid,
    [LABEL.pod]: `${pod.namespace}/${pod.name}`,
    [LABEL.workload]: pod.workload,
    ...(pod.address === undefined ? {} : { [LABEL.address]: pod.address }),
  };
}

/** The run a container is, or undefined when its labels say it is none (infra, someone else's). */
export function refOf(labels: Labels): RunRef | undefined {
  const podUid = labels[LABEL.podUid];
  const container = labels[LABEL.container];
  const attempt = Number(labels[LABEL.attempt]);
  if (podUid === undefined || container === undefined || !Number.isInteger(attempt)) return undefined;
  return { podUid, container, attempt };
}

export function refKey({ podUid, container, attempt }: RunRef): string {
  return `${podUid}/${container}/${attempt}`;
}

/** `styr-web-x7k2p-3f9a1c.0`: what people know it by, then what makes it unique (two namespaces, two instances), then the attempt. */
export function appName(run: ContainerRun, instance: string): string {
  const { pod, ref } = run;
  const words = [workloadWord(pod), safe(pod.name)];
  if (pod.sharesNamespaces) words.push(safe(ref.container));
  return `styr-${joinWords(words)}-${digest(instance, ref.podUid, ref.container)}.${ref.attempt}`;
}

export function infraName(pod: PodRun, instance: string): string {
  return `styr-${joinWords([workloadWord(pod), safe(pod.name)])}-infra-${digest(instance, pod.uid)}`;
}

/** The workload's name is left out when the pod's begins with it, as it mostly does. */
function workloadWord(pod: PodRun): string {
  const word = safe(pod.workload);
  return safe(pod.name).startsWith(word) ? "" : word;
}

function joinWords(words: readonly string[]): string {
  return words
    .filter((word) => word !== "")
    .join("-")
    .slice(0, 100);
}

/** Docker's names: [a-zA-Z0-9][a-zA-Z0-9_.-]+. */
function safe(text: string): string {
  return text.replace(/[^a-zA-Z0-9_.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
}

function digest(...words: readonly string[]): string {
  return createHash("sha256").update(words.join("\0")).digest("hex").slice(0, 8);
}
