import type { Condition, ConditionStatus, Container, ContainerPort, Pod } from "../model/pod.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { Random } from "../seams/random.ts";
import type { NodeInfo } from "./node-info.ts";

const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;

/** The pod as it is once it belongs to the node: its host ports picked, its wait over. The pod must fit. */
export function boundPod(pod: Pod, node: NodeInfo, random: Random, nowMs: number): Pod {
  const take = portPicker(node, pod, random);
  const withPorts = (container: Container): Container =>
    container.ports?.some(isWanted) ? { ...container, ports: pickPorts(container.ports, take) } : container;
  const { initContainers, containers } = pod.spec;
  const { reason, message, ...status } = pod.status;
  const kept = reason === "Unschedulable" ? status : pod.status;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(withPorts),
      ...(initContainers ? { initContainers: initContainers.map(withPorts) } : {}),
      nodeName: node.name,
    },
    status: { ...kept, conditions: withScheduled(pod, nowMs, "True") },
  };
}

function pickPorts(ports: readonly ContainerPort[], take: () => number): readonly ContainerPort[] {
  const picked = new Map<string, number>();
  return ports.map((port) => {
    const hostPort = isWanted(port) ? (picked.get(port.sharesHostPortOf ?? "") ?? take()) : port.hostPort;
    if (hostPort === undefined) return port;
    if (port.name !== undefined) picked.set(port.name, hostPort);
    return isWanted(port) ? { ...port, hostPort } : port;
  });
}

function isWanted({ dynamicHostPort, hostPort }: ContainerPort): boolean {
  return dynamicHostPort === true && !hostPort;
}

/** Starts anywhere in the range, so that a port that was just given back is not at once somebody else's. */
function portPicker(node: NodeInfo, pod: Pod, random: Random): () => number {
  const [first, last] = node.facts.dynamicPorts;
  const size = last - first + 1;
  const taken = new Set<number>();
  for (const { ports = [] } of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    for (const { hostPort, containerPort } of ports) taken.add(hostPort || (pod.spec.hostNetwork ? containerPort : 0));
  }
  const isTaken = (port: number) =>
    taken.has(port) || PROTOCOLS.some((protocol) => node.ports.has(`${protocol}/${port}`));
  let offset: number | undefined;
  return () => {
    offset ??= random.int(size);
    for (let tried = 0; tried < size; tried++) {
      const port = first + ((offset + tried) % size);
      if (isTaken(port)) continue;
      taken.add(port);
      return port;
    }
    throw new Error(`node ${node.name} has no host port left in ${first}-${last}`);
  };
}

/** The pod with the reason why it waits, in its condition as in Kubernetes; the same object when it says so already. */
export function unscheduledPod(pod: Pod, message: string, nowMs: number): Pod {
  if (refusalOf(pod) === message) return pod;
  const conditions = withScheduled(pod, nowMs, "False", { reason: "Unschedulable", message });
  return { ...pod, status: { ...pod.status, conditions } };
}

/** The scheduler's words on why the pod waits; undefined when it has not said any. */
export function refusalOf({ status: { conditions = [] } }: Pod): string | undefined {
  return conditions.find(({ type, reason }) => type === "PodScheduled" && reason === "Unschedulable")?.message;
}

function withScheduled(
  { status: { conditions = [] } }: Pod,
  nowMs: number,
  status: ConditionStatus,
  why: { readonly reason?: string; readonly message?: string } = {},
): readonly Condition[] {
  const before = conditions.find(({ type }) => type === "PodScheduled");
  const since = before?.status === status ? before.lastTransitionTime : undefined;
  const condition = { type: "PodScheduled", status, ...why, lastTransitionTime: since ?? rfc3339(nowMs) };
  return before ? conditions.map((one) => (one === before ? condition : one)) : [...conditions, condition];
}
