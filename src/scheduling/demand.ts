/**
 * What a pod asks of a node, compiled once per template: numbers, ports, drivers and rules. The scheduler sees neither
 * dialects nor Kubernetes' verbose fields, only this.
 */
import { bytes, cpuMillis } from "../lib/quantity.ts";
import { type Container, type DriverName, driverOf, type Pod, type Toleration } from "../model/pod.ts";
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
  readonly hostPorts: readonly HostPort[];
  /** How many host ports the scheduler is to pick. */
  readonly dynamicPorts: number;
  readonly drivers: readonly DriverName[];
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
  const identity = identify(pod);
  const { hostPorts, dynamicPorts } = portsOf(pod);
  const { hard: nodeRules, soft: nodePreferences } = compileNodeRules(pod.spec);
  const { hard: podRules, soft: podPreferences } = compilePodRules(pod.spec, identity);
  return {
    cpuMillis: requested(pod, "cpu", cpuMillis),
    memoryBytes: requested(pod, "memory", bytes),
    diskBytes: requested(pod, "ephemeral-storage", bytes),
    hostPorts,
    dynamicPorts,
    drivers: driversOf(pod),
    tolerations: pod.spec.tolerations ?? [],
    nodeRules,
    nodePreferences,
    podRules,
    podPreferences,
    keepsApart: podRules.filter(({ type }) => type === "apart"),
    identity,
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

function portsOf(pod: Pod): Pick<Demand, "hostPorts" | "dynamicPorts"> {
  const hostPorts: HostPort[] = [];
  let dynamicPorts = 0;
  for (const { ports = [] } of allContainers(pod)) {
    for (const { hostPort, containerPort, dynamicHostPort, protocol = "TCP", hostIP } of ports) {
      // On the host's network every port is the host's (Kubernetes defaults hostPort to containerPort there).
      const port = hostPort || (pod.spec.hostNetwork && !dynamicHostPort ? containerPort : 0);
      if (port) hostPorts.push({ port, protocol, ...(isAnyAddress(hostIP) ? {} : { hostIP: hostIP as string }) });
      else if (dynamicHostPort) dynamicPorts++;
    }
  }
  return { hostPorts, dynamicPorts };
}

function isAnyAddress(hostIP: string | undefined): boolean {
  return hostIP === undefined || hostIP === "" || hostIP === "0.0.0.0" || hostIP === "::";
}

function driversOf(pod: Pod): readonly DriverName[] {
  return [...new Set(allContainers(pod).map(driverOf))].sort();
}

function allContainers(pod: Pod): readonly Container[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
}

/** How many templates are remembered; past it the older half is forgotten. */
const REMEMBERED = 20_000;

/** Demands by template: copies of one workload share one Demand, and everything that is cached by it. */
export class Demands {
  readonly #bySpec = new WeakMap<Pod["spec"], { readonly of: PodIdentity; readonly demand: Demand }>();
  #byTemplate = new Map<string, Demand>();

  of(pod: Pod): { readonly demand: Demand; readonly identity: PodIdentity } {
    const known = this.#bySpec.get(pod.spec);
    if (known && sameMeta(known, pod)) return { demand: known.demand, identity: known.of };
    const identity = identify(pod);
    const key = templateKey(pod, identity);
    let demand = this.#byTemplate.get(key);
    if (!demand) {
      demand = compileDemand(pod);
      this.#byTemplate.set(key, demand);
      this.#forget();
    }
    const entry = { of: identity, demand };
    this.#bySpec.set(pod.spec, entry);
    return { demand, identity };
  }

  #forget(): void {
    if (this.#byTemplate.size <= REMEMBERED) return;
    this.#byTemplate = new Map([...this.#byTemplate].slice(REMEMBERED / 2));
  }
}

/** A status update keeps the spec's object and, as objects are copied by spreading, that of the labels. */
function sameMeta({ of }: { readonly of: PodIdentity }, { metadata }: Pod): boolean {
  return (
    of.terminating === (metadata.deletionTimestamp !== undefined) &&
    (metadata.labels === of.labels || (metadata.labels === undefined && Object.keys(of.labels).length === 0))
  );
}

function templateKey({ spec }: Pod, { key }: PodIdentity): string {
  const containers = (list: readonly Container[] | undefined) =>
    list?.map((container) => [
      container.resources,
      container.ports?.map((port) => [
        port.hostPort,
        port.dynamicHostPort,
        port.protocol,
        port.hostIP,
        port.containerPort,
      ]),
      driverOf(container),
      container.restartPolicy,
    ]);
  return JSON.stringify([
    key,
    containers(spec.containers),
    containers(spec.initContainers),
    spec.hostNetwork,
    spec.nodeSelector,
    spec.affinity,
    spec.tolerations,
    spec.topologySpreadConstraints,
    spec.constraints,
  ]);
}
