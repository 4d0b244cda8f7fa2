/** What the engine is asked to create: pure translation of a run into the body of POST /containers/create. */
import { isNetworkParameter, otherNetwork } from "../../model/pod-network-need.ts";
import type { PublishedPort } from "../../model/published-ports.ts";
import type { ContainerRun, PodRun } from "../driver.ts";
import type { ContainerBody, HostConfig } from "./create-request.ts";
import { applyParameters } from "./docker-parameters.ts";
import { appLabels, infraLabels } from "./labels.ts";

export interface BodySettings {
  readonly instance: string;
  /** Our bridge network. */
  readonly network: string;
  /** The pod's cgroup in the engine's spelling. */
  readonly cgroupParent: string;
  /** The pod's infra container, when it shares namespaces. */
  readonly infraId?: string;
  readonly logs: LogBounds;
  /** The lowest OOM score that this host allows. */
  readonly oomScoreFloor: number;
}

/** Docker keeps `files` files of `bytesPerFile` per container and rotates. */
export interface LogBounds {
  readonly bytesPerFile: number;
  readonly files: number;
}

/** Throws DriverError (not temporary) on a Docker parameter it does not know. */
export function appBody(run: ContainerRun, settings: BodySettings): ContainerBody {
  const { spec, pod } = run;
  const security = spec.securityContext ?? {};
  const network = otherNetwork(spec, settings.network);
  const body: ContainerBody = {
    Image: spec.image ?? "",
    ...(spec.command?.length ? { Entrypoint: spec.command } : {}),
    ...(spec.args?.length ? { Cmd: spec.args } : {}),
    Env: Object.entries(run.env).map(([name, value]) => `${name}=${value}`),
    ...(spec.workingDir ? { WorkingDir: spec.workingDir } : {}),
    ...(run.runAsUser === undefined && run.runAsGroup === undefined ? {} : { User: userOf(run) }),
    ...(spec.lifecycle?.stopSignal ? { StopSignal: spec.lifecycle.stopSignal } : {}),
    Tty: spec.tty ?? false,
    OpenStdin: spec.stdin ?? false,
    Labels: appLabels(run, settings.instance, network),
    HostConfig: {
      LogConfig: logConfig(settings.logs),
      CgroupParent: settings.cgroupParent,
      ...limitsOf(run, settings.oomScoreFloor),
      ...(run.mounts.length === 0 ? {} : { Mounts: mountsOf(run) }),
      ...(security.privileged ? { Privileged: true } : {}),
      ...(security.readOnlyRootFilesystem ? { ReadonlyRootfs: true } : {}),
      ...(security.capabilities?.add?.length ? { CapAdd: security.capabilities.add } : {}),
      ...(security.capabilities?.drop?.length ? { CapDrop: security.capabilities.drop } : {}),
      ...(security.allowPrivilegeEscalation === false ? { SecurityOpt: ["no-new-privileges"] } : {}),
      ...(pod.groups?.length ? { GroupAdd: pod.groups.map(String) } : {}),
      ...(pod.hostPID ? { PidMode: "host" } : {}),
      ...(pod.hostIPC ? { IpcMode: "host" } : {}),
    },
  };
  if (settings.infraId === undefined) {
    placeInNetwork(body, pod, network, settings.network);
    if (pod.sysctls) body.HostConfig.Sysctls = pod.sysctls;
  } else joinInfra(body, pod, settings.infraId);
  const given = spec.docker?.parameters ?? [];
  const isPlaced = network === undefined && !pod.hostNetwork;
  applyParameters(body, isPlaced ? given.filter((parameter) => !isNetworkParameter(parameter)) : given);
  return body;
}

export function infraBody(pod: PodRun, image: string, settings: BodySettings): ContainerBody {
  const body: ContainerBody = {
    Image: image,
    Labels: infraLabels(pod, settings.instance),
    HostConfig: {
      LogConfig: { Type: "none", Config: {} },
      CgroupParent: settings.cgroupParent,
      IpcMode: pod.hostIPC ? "host" : "shareable",
      ...(pod.sysctls ? { Sysctls: pod.sysctls } : {}),
      // The last thing the kernel should take: with it the whole pod loses its address (kubelet gives its pause container -998).
      OomScoreAdj: Math.max(settings.oomScoreFloor, -998),
      CpuShares: 2,
    },
  };
  placeInNetwork(body, pod, undefined, settings.network);
  return body;
}

function placeInNetwork(body: ContainerBody, pod: PodRun, userNetwork: string | undefined, ours: string): void {
  if (pod.hostAliases.length > 0)
    body.HostConfig.ExtraHosts = pod.hostAliases.flatMap(({ ip, hostnames }) =>
      hostnames.map((name) => `${name}:${ip}`),
    );
  applyDns(body, pod);
  if (pod.hostNetwork) {
    body.HostConfig.NetworkMode = "host";
    return;
  }
  // The kernel takes 64 bytes; Kubernetes cuts at 63, the length of a DNS label.
  body.Hostname = pod.hostname.slice(0, 63);
  // Docker writes both names into /etc/hosts: StatefulSets' images look themselves up by the whole one.
  if (pod.dns?.domain !== undefined) body.Domainname = pod.dns.domain;
  body.HostConfig.NetworkMode = userNetwork ?? ours;
  if (userNetwork === undefined && pod.address !== undefined)
    body.NetworkingConfig = { EndpointsConfig: { [ours]: { IPAMConfig: { IPv4Address: pod.address } } } };
  if (pod.ports.length === 0) return;
  body.ExposedPorts = Object.fromEntries(pod.ports.map((port) => [portKey(port), {}]));
  body.HostConfig.PortBindings = portBindings(pod.ports, userNetwork === undefined ? EVERY_IPV4 : "");
}

/** Address, host names and ports are the infra container's; Docker refuses them here. */
function joinInfra(body: ContainerBody, pod: PodRun, infraId: string): void {
  body.HostConfig.NetworkMode = pod.hostNetwork ? "host" : `container:${infraId}`;
  if (pod.hostNetwork) applyDns(body, pod);
  if (!pod.hostIPC) body.HostConfig.IpcMode = `container:${infraId}`;
  if (pod.shareProcessNamespace) body.HostConfig.PidMode = `container:${infraId}`;
}

/** Those who join a network have the resolv.conf of the container whose network it is. */
function applyDns({ HostConfig }: ContainerBody, { dns }: PodRun): void {
  if (dns?.nameservers.length) HostConfig.Dns = dns.nameservers;
  if (dns?.searches.length) HostConfig.DnsSearch = dns.searches;
  if (dns?.options.length) HostConfig.DnsOptions = dns.options;
}

function portKey({ containerPort, protocol }: PublishedPort): string {
  return `${containerPort}/${protocol}`;
}

/** Docker's "" is of IPv6, too: there a program of the host would pass on to a pod whatever comes, which no NetworkPolicy sees. On a network of the user's none is in force. */
const EVERY_IPV4 = "0.0.0.0";

/** `anywhere`: where a port is that names no address. */
function portBindings(
  ports: readonly PublishedPort[],
  anywhere: string,
): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    const key = portKey(port);
    bindings[key] ??= [];
    bindings[key].push({ HostIp: port.hostIP ?? anywhere, HostPort: String(port.hostPort) });
  }
  return bindings;
}

function logConfig({ bytesPerFile, files }: LogBounds): HostConfig["LogConfig"] & object {
  return { Type: "json-file", Config: { "max-size": String(bytesPerFile), "max-file": String(files) } };
}

function userOf({ runAsUser = 0, runAsGroup }: ContainerRun): string {
  return runAsGroup === undefined ? String(runAsUser) : `${runAsUser}:${runAsGroup}`;
}

function mountsOf({ mounts }: ContainerRun): object[] {
  return mounts.map(({ hostPath, mountPath, readOnly }) => ({
    Type: "bind",
    Source: hostPath,
    Target: mountPath,
    ReadOnly: readOnly,
  }));
}

/** Shares and quota as kubelet reckons them: 1024 shares a core, at least 2; quota per 100 ms, at least 1 ms. No swap beyond the memory limit. */
function limitsOf({ limits }: ContainerRun, oomScoreFloor: number): HostConfig {
  const { cpuRequestMillis, cpuLimitMillis, memoryLimitBytes, oomScoreAdjust } = limits;
  return {
    CpuShares: sharesOf(cpuRequestMillis),
    ...(cpuLimitMillis === undefined ? {} : { CpuPeriod: 100_000, CpuQuota: Math.max(1000, cpuLimitMillis * 100) }),
    ...(memoryLimitBytes === undefined ? {} : { Memory: memoryLimitBytes, MemorySwap: memoryLimitBytes }),
    ...(oomScoreAdjust === undefined ? {} : { OomScoreAdj: Math.max(oomScoreFloor, oomScoreAdjust) }),
  };
}

export function sharesOf(cpuMillis: number): number {
  return Math.min(262_144, Math.max(2, Math.floor((cpuMillis * 1024) / 1000)));
}
