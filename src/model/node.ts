import { defineKind, type ObjectMeta } from "./meta.ts";
import type { NodeNetworkReport } from "./network-report.ts";
import type { Condition, DriverName } from "./pod.ts";
import type { UnlistedReport } from "./restoration.ts";

/** Kubernetes' Node, with `status.drivers` as an extension. */
export interface Node {
  readonly apiVersion: string;
  readonly kind: "Node";
  readonly metadata: ObjectMeta;
  readonly spec: NodeSpec;
  readonly status: NodeStatus;
}

export interface NodeSpec {
  /** Cordoned: takes no new pods. */
  readonly unschedulable?: boolean;
  readonly taints?: readonly Taint[];
  /** Kubernetes' name for the addresses of its pods, and its list of them. Of a draft: the one it asks for; "" for any. */
  readonly podCIDR?: string;
  readonly podCIDRs?: readonly string[];
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
  /** Kubernetes sets it on NoExecute taints: what is to happen some time after is counted from here. */
  readonly timeAdded?: string;
}

/** What `unschedulable` is in the words of taints. Kept in step with it by a controller. */
export const CORDON_TAINT: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

export function isCordonTaint({ key, effect }: Taint): boolean {
  return key === CORDON_TAINT.key && effect === CORDON_TAINT.effect;
}

export interface NodeStatus {
  /** Quantities: cpu, memory, ephemeral-storage, pods. */
  readonly capacity: Readonly<Record<string, string>>;
  /** Capacity less what is reserved for the host. */
  readonly allocatable: Readonly<Record<string, string>>;
  readonly conditions: readonly Condition[];
  readonly addresses: readonly { readonly type: "InternalIP" | "ExternalIP" | "Hostname"; readonly address: string }[];
  readonly nodeInfo: NodeInfoReport;
  /** Extension: what can run here; absent = not there at all. */
  readonly drivers: Readonly<Partial<Record<DriverName, DriverReport>>>;
  /** Extension: host ports that dynamic ports are taken from, both ends included. */
  readonly dynamicPorts: readonly [number, number];
  /** Extension: while the store is one restored from a backup and not confirmed, what runs here and is not in it. */
  readonly unlisted?: UnlistedReport;
  /** Extension: of its part of the cluster's network. */
  readonly network?: NodeNetworkReport;
}

export interface DriverReport {
  /** It answers: what it runs is known, and may be stopped. */
  readonly ready: boolean;
  /** Why not, in words a person can act on. */
  readonly reason?: string;
  readonly version?: string;
  /**
   * Why it cannot start what needs the network of the pods, though it is ready for all else, and what to do. Of the agent alone: others
   * read the condition that is made of it.
   */
  readonly network?: string;
}

export interface NodeInfoReport {
  readonly machineID: string;
  readonly bootID: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly architecture: string;
  readonly operatingSystem: string;
  readonly containerRuntimeVersion: string;
  readonly kubeletVersion: string;
}

export const nodes = defineKind<Node>("Node", "v1", "cluster", {
  machine: (node) => [node.status.nodeInfo.machineID],
});

/** Extension: a condition that is False while a part of the node's network (services, policies, names, …) fails, with its words. */
export const NETWORK_WORKING = "NetworkWorking";

/** Extension: a condition that is False while probes to some other node are lost now and then, with their names. Pods come and go all the same. */
export const LINKS_STEADY = "LinksSteady";
/** Its reason, and that of the node's event. */
export const LINK_UNSTEADY = "LinkUnsteady";

/** Its reason where the engine cannot publish containers' ports, whatever else fails. */
export const DOCKER_RULES_GONE = "DockerRulesGone";

/** Whether a container that publishes ports cannot be started on a node that says this of itself. */
export function isUnpublished(conditions: readonly Condition[]): boolean {
  return conditions.some(
    ({ type, status, reason }) => type === NETWORK_WORKING && status === "False" && reason === DOCKER_RULES_GONE,
  );
}

/** A condition: Kubernetes' word for a node whose pods others do not reach, or that cannot give pods any network. */
export const NETWORK_UNAVAILABLE = "NetworkUnavailable";
/** Its reasons where pods that need the network cannot be started on the node at all; with others they can. */
export const POD_NETWORK_MISSING = "PodNetworkMissing";
export const POD_RANGES_EXHAUSTED = "PodRangesExhausted";

/** Why no pod that needs the pod network may be started on a node that says this of itself; undefined when they may. */
export function podNetworkTrouble(conditions: readonly Condition[]): string | undefined {
  const found = conditions.find(({ type, status }) => type === NETWORK_UNAVAILABLE && status === "True");
  if (found?.reason !== POD_NETWORK_MISSING && found?.reason !== POD_RANGES_EXHAUSTED) return undefined;
  return found.message ?? found.reason;
}

/** What does not work of a node's network, in words. */
export function networkTroubles({ status }: Node): readonly string[] {
  return status.conditions.flatMap((condition) => {
    const isTrouble =
      (condition.type === NETWORK_UNAVAILABLE && condition.status === "True") ||
      (condition.type === LINKS_STEADY && condition.status === "False") ||
      partsFail(condition);
    return isTrouble ? [condition.message ?? ""] : [];
  });
}

/** Whether parts of a node's network fail, beside what its other condition says. */
export function partsFail({ type, status, reason }: Condition): boolean {
  return type === NETWORK_WORKING && status === "False" && reason !== POD_NETWORK_MISSING;
}

/** The reason of a Ready condition that is Unknown while the brake holds: the node is silent, and nothing of it is moved. */
export const BRAKE_HOLDS = "BrakeHolds";

export function isNodeHeld(node: Node): boolean {
  return node.status.conditions.some(
    ({ type, status, reason }) => type === "Ready" && status === "Unknown" && reason === BRAKE_HOLDS,
  );
}

export function isNodeReady(node: Node): boolean {
  return node.status.conditions.some(({ type, status }) => type === "Ready" && status === "True");
}
