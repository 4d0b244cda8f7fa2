import type { ContainerRun, Mount, PodRun, RunLimits } from "../drivers/driver.ts";
import { bytes, cpuMillis } from "../lib/quantity.ts";
import { controllerOf } from "../model/meta.ts";
import { type Container, driverOf, type Pod, type SecurityContext } from "../model/pod.ts";
import { isOnHostNetwork, isOnOtherNetwork } from "../model/pod-network-need.ts";
import { publishedPorts } from "../model/published-ports.ts";
import { ANNOTATION } from "../model/well-known.ts";
import { isExclusive } from "../model/when-unreachable.ts";
import { ConfigurationError } from "./configuration-error.ts";
import { type EnvironmentContext, environmentOf, expandReferences } from "./environment.ts";
import { oomScoreAdjust } from "./quality-of-service.ts";
import { sidecarsOf } from "./seen.ts";

export interface RunContext extends EnvironmentContext {
  /** The pod's own address; absent on the host network. */
  readonly address?: string;
  readonly nodeName: string;
  readonly memoryCapacityBytes: number;
  /** Volume name → directory or file on the host. */
  readonly volumes: ReadonlyMap<string, string>;
  /** Index of a volumeMount with a subPath → what it names, on the host. */
  readonly subPaths?: ReadonlyMap<number, string>;
  /** Where its names are answered; absent: as the pod itself says, or as the engine does it. */
  readonly dns?: PodRun["dns"];
  /** The file at terminationMessagePath, on the host. */
  readonly terminationFile?: string;
}

/** Everything a driver needs to run `container` once. Throws ConfigurationError. */
export function containerRun(pod: Pod, container: Container, attempt: number, context: RunContext): ContainerRun {
  const env = environmentOf(pod, container, context);
  const security = { ...pod.spec.securityContext, ...container.securityContext };
  return {
    ref: { podUid: pod.metadata.uid, container: container.name, attempt },
    pod: podRun(pod, context),
    spec: withExpandedCommand(pod, container, env),
    env,
    mounts: [...mountsOf(pod, container, context), ...terminationMount(container, context)],
    limits: limitsOf(pod, container, context),
    ...(security.runAsUser === undefined ? {} : { runAsUser: security.runAsUser }),
    ...(security.runAsGroup === undefined ? {} : { runAsGroup: security.runAsGroup }),
    ...(security.runAsNonRoot === true ? nonRoot(container, security) : {}),
  };
}

/** Whether this node, whose pod network is Docker's of that name, gives the pod an address. A network of the user's gives its own. */
export function needsAddress(pod: Pod, podNetwork?: string): boolean {
  return !isOnHostNetwork(pod) && !isOnOtherNetwork(pod, podNetwork);
}

function podRun(pod: Pod, { address, nodeName, dns }: RunContext): PodRun {
  const hostNetwork = isOnHostNetwork(pod);
  const contained = [...pod.spec.containers, ...sidecarsOf(pod)].filter((each) =>
    ["docker", "fake"].includes(driverOf(each)),
  );
  return {
    uid: pod.metadata.uid,
    namespace: pod.metadata.namespace ?? "default",
    name: pod.metadata.name,
    hostname: hostNetwork ? nodeName : hostnameOf(pod),
    hostNetwork,
    ...(address === undefined ? {} : { address }),
    sharesNamespaces: contained.length > 1,
    shareProcessNamespace: pod.spec.shareProcessNamespace === true,
    workload: pod.metadata.annotations?.[ANNOTATION.workload] ?? controllerOf(pod)?.name ?? pod.metadata.name,
    ports: hostNetwork ? [] : publishedPorts(pod),
    hostAliases: (pod.spec.hostAliases ?? []).map(({ ip, hostnames }) => ({ ip, hostnames: hostnames ?? [] })),
    ...(isExclusive(pod) ? { exclusive: true } : {}),
    ...(pod.spec.hostPID ? { hostPID: true } : {}),
    ...(pod.spec.hostIPC ? { hostIPC: true } : {}),
    ...kernelSide(pod),
    ...(dns === undefined ? {} : { dns }),
  };
}

function kernelSide({ spec: { securityContext = {}, dnsConfig } }: Pod): Pick<PodRun, "groups" | "dns" | "sysctls"> {
  const { supplementalGroups = [], fsGroup, sysctls = [] } = securityContext;
  const groups = [...new Set([...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])])];
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  const words = options.map(({ name, value }) => (value === undefined ? name : `${name}:${value}`));
  return {
    ...(groups.length === 0 ? {} : { groups }),
    ...(dnsConfig === undefined ? {} : { dns: { nameservers, searches, options: words } }),
    ...(sysctls.length === 0 ? {} : { sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name, value])) }),
  };
}

/** What only an image knows is its driver's to refuse; without one, nobody but root starts it. */
function nonRoot(container: Container, { runAsUser }: SecurityContext): { readonly runAsNonRoot: true } {
  if (runAsUser === 0) throw new ConfigurationError("container's runAsUser breaks non-root policy");
  const isImage = ["docker", "fake"].includes(driverOf(container));
  const user = container.process?.user;
  if (runAsUser === undefined && !isImage && (user === undefined || user === "root" || user === "0"))
    throw new ConfigurationError("container has runAsNonRoot and would run as the agent's user: say runAsUser");
  return { runAsNonRoot: true };
}

/** A host name has at most 63 characters and does not end in a dash or dot (kubelet: truncatePodHostnameIfNeeded). */
function hostnameOf(pod: Pod): string {
  return (pod.spec.hostname ?? pod.metadata.name).slice(0, 63).replace(/[-.]+$/, "");
}

/** Kubernetes expands $(VAR) in command and args. Other dialects' commands are the task's own, to the letter. */
function withExpandedCommand(pod: Pod, container: Container, env: Readonly<Record<string, string>>): Container {
  const dialect = pod.metadata.annotations?.[ANNOTATION.dialect] ?? "kubernetes";
  if (dialect !== "kubernetes" || driverOf(container) === "unit") return container;
  const expand = (words: readonly string[]) => words.map((word) => expandReferences(word, env));
  return {
    ...container,
    ...(container.command === undefined ? {} : { command: expand(container.command) }),
    ...(container.args === undefined ? {} : { args: expand(container.args) }),
  };
}

function mountsOf(pod: Pod, container: Container, { volumes, subPaths }: RunContext): readonly Mount[] {
  return (container.volumeMounts ?? []).map(({ name, mountPath, subPath, readOnly }, index) => {
    const source = pod.spec.volumes?.find((volume) => volume.name === name);
    // Kubernetes mounts them so whatever is asked: what is written there would be lost, or meet the next renewal.
    const isKeyFiles = source?.secret !== undefined || source?.configMap !== undefined;
    if (!volumes.has(name)) throw new ConfigurationError(`volume "${name}" is not in the pod`);
    const hostPath = subPath ? subPaths?.get(index) : volumes.get(name);
    if (hostPath === undefined) throw new ConfigurationError(`subPath "${subPath}" of volume "${name}" was not made`);
    return { hostPath, mountPath, readOnly: readOnly === true || isKeyFiles };
  });
}

function terminationMount(
  { terminationMessagePath: mountPath, volumeMounts = [] }: Container,
  { terminationFile }: RunContext,
): readonly Mount[] {
  if (terminationFile === undefined || !mountPath || volumeMounts.some((mount) => mount.mountPath === mountPath))
    return [];
  return [{ hostPath: terminationFile, mountPath, readOnly: false }];
}

function limitsOf(pod: Pod, container: Container, { allocatable, memoryCapacityBytes }: RunContext): RunLimits {
  const { requests, limits } = container.resources ?? {};
  const cpuLimitMillis = cpuMillis(limits?.cpu);
  // All pods together have a quota already, and the kernel (cgroup v1) refuses a child that is allowed more.
  const isLimiting = limits?.cpu !== undefined && cpuLimitMillis < allocatable.cpuMillis;
  return {
    cpuRequestMillis: cpuMillis(requests?.cpu ?? limits?.cpu),
    ...(isLimiting ? { cpuLimitMillis } : {}),
    ...(limits?.memory === undefined ? {} : { memoryLimitBytes: bytes(limits.memory) }),
    oomScoreAdjust: oomScoreAdjust(pod, container, memoryCapacityBytes),
  };
}
