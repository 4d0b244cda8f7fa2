/**
 * What a pod asks of a node, compiled once per template: numbers, ports, drivers and rules. The scheduler sees neither
 * dialects nor Kubernetes' verbose fields, only this.
 */
import { bytes, cpuMillis } from "../lib/quantity.ts";
import {
  type Container,
  type ContainerPort,
  type DriverName,
  driverOf,
  type Pod,
  type Toleration,
} from "../model/pod.ts";
import { needsPodNetwork } from "../model/pod-network-need.ts";
import { isAnyAddress } from "../model/published-ports.ts";
import { extendedNames } from "./node-facts.ts";
import { compileNodeRules, type NodePreference, type NodeRule } from "./node-rules.ts";
import { compilePodRules, type PodRule } from "./pod-rules.ts";
import { identify, type PodIdentity } from "./selection.ts";

export interface HostPort {
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** Absent = all addresses. */
  readonly hostIP?: string;
}

export interface Demand {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** Every other resource by its name (`nvidia.com/gpu`), in its own unit; sorted, usually empty. */
  readonly extended: readonly (readonly [resource: string, amount: number])[];
  readonly hostPorts: readonly HostPort[];
  /** How many host ports the scheduler is to pick. */
  readonly dynamicPorts: number;
  readonly drivers: readonly DriverName[];
  /** One of its containers cannot be started where pods get no network of their own. */
  readonly podNetwork: boolean;
  /** One of its containers has a port that its engine is to publish. */
  readonly publishes: boolean;
  readonly tolerations: readonly Toleration[];
  /** All must hold; they look at the node alone. */
  readonly nodeRules: readonly NodeRule[];
  readonly nodePreferences: readonly NodePreference[];
  /** All must hold; they look at pods that have their place. */
  readonly podRules: readonly PodRule[];
  readonly podPreferences: readonly PodRule[];
  /** Hard `apart` rules: they bind pods that come later, too. */
  readonly keepsApart: readonly PodRule[];
  readonly identity: PodIdentity;
}

export function compileDemand(pod: Pod): Demand {
  return withAssignedPorts(compileTemplate(pod), pod);
}

/** Without the host ports that were picked for this one copy. */
export function compileTemplate(pod: Pod): Demand {
  const identity = identify(pod);
  const { hard: nodeRules, soft: nodePreferences } = compileNodeRules(pod.spec);
  const { hard: podRules, soft: podPreferences } = compilePodRules(pod.spec, identity);
  return {
    cpuMillis: requested(pod, "cpu", cpuMillis),
    memoryBytes: requested(pod, "memory", bytes),
    diskBytes: requested(pod, "ephemeral-storage", bytes),
    extended: extendedOf(pod),
    hostPorts: portsOf(pod).flatMap((port) => hostPortOf(pod, port) ?? []),
    dynamicPorts: portsOf(pod).filter(({ dynamicHostPort }) => dynamicHostPort).length,
    drivers: driversOf(pod),
    podNetwork: allContainers(pod).some((container) => needsPodNetwork(pod, container)),
    publishes: pod.spec.hostNetwork !== true && allContainers(pod).some(isPublished),
    tolerations: pod.spec.tolerations ?? [],
    nodeRules,
    nodePreferences,
    podRules,
    podPreferences,
    keepsApart: podRules.filter(({ type }) => type === "apart"),
    identity,
  };
}

export function withAssignedPorts(template: Demand, pod: Pod): Demand {
  if (template.dynamicPorts === 0) return template;
  const assigned = portsOf(pod).flatMap((port) =>
    port.dynamicHostPort && port.hostPort ? asHostPort(port, port.hostPort) : [],
  );
  if (assigned.length === 0) return template;
  return {
    ...template,
    hostPorts: [...template.hostPorts, ...assigned],
    dynamicPorts: template.dynamicPorts - assigned.length,
  };
}

/** `tcp/80`. */
export function portKey({ port, protocol }: HostPort): string {
  return `${protocol}/${port}`;
}

/**
 * Kubernetes' effective request: what runs together (containers and sidecars), or what one init container needs beside
 * the sidecars started before it, whichever is more. A limit stands in for a missing request.
 */
function requested(pod: Pod, resource: string, read: (quantity: string | undefined) => number): number {
  const of = ({ resources }: Container) => read(resources?.requests?.[resource] ?? resources?.limits?.[resource]);
  let sidecars = 0;
  let most = 0;
  for (const container of pod.spec.initContainers ?? []) {
    if (container.restartPolicy === "Always") sidecars += of(container);
    else most = Math.max(most, sidecars + of(container));
  }
  const together = pod.spec.containers.reduce((sum, container) => sum + of(container), sidecars);
  return Math.max(together, most);
}

function extendedOf(pod: Pod): Demand["extended"] {
  const names = new Set(
    allContainers(pod).flatMap(({ resources }) => [
      ...Object.keys(resources?.requests ?? {}),
      ...Object.keys(resources?.limits ?? {}),
    ]),
  );
  return extendedNames(names)
    .map((name) => [name, requested(pod, name, bytes)] as const)
    .filter(([, amount]) => amount > 0);
}

function portsOf(pod: Pod): readonly ContainerPort[] {
  return allContainers(pod).flatMap(({ ports = [] }) => ports);
}

/** The host port that its user asked for. On the host's network every port is the host's (Kubernetes defaults hostPort to containerPort there). */
function hostPortOf(pod: Pod, port: ContainerPort): HostPort | undefined {
  if (port.dynamicHostPort) return undefined;
  const number = port.hostPort || (pod.spec.hostNetwork ? port.containerPort : 0);
  return number ? asHostPort(port, number) : undefined;
}

function asHostPort({ protocol = "TCP", hostIP }: ContainerPort, port: number): HostPort {
  return { port, protocol, ...(hostIP === undefined || isAnyAddress(hostIP) ? {} : { hostIP }) };
}

function isPublished(container: Container): boolean {
  const { ports = [] } = container;
  return driverOf(container) === "docker" && ports.some(({ hostPort, dynamicHostPort }) => hostPort || dynamicHostPort);
}

function driversOf(pod: Pod): readonly DriverName[] {
  return [...new Set(allContainers(pod).map(driverOf))].sort();
}

function allContainers(pod: Pod): readonly Container[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
}
