import { formatCpuMillis } from "../lib/quantity.ts";
import type { Draft } from "../model/meta.ts";
import {
  DOCKER_RULES_GONE,
  type DriverReport,
  LINK_UNSTEADY,
  LINKS_STEADY,
  NETWORK_UNAVAILABLE,
  NETWORK_WORKING,
  type Node,
  POD_NETWORK_MISSING,
  podNetworkTrouble,
} from "../model/node.ts";
import type { Condition, DriverName } from "../model/pod.ts";
import { NODE_LABEL } from "../model/well-known.ts";
import { rfc3339 } from "../seams/clock.ts";
import { isShort } from "./heartbeat/disk-probe.ts";
import type { HostReading } from "./node-host.ts";
import type { NodeNetwork } from "./node-network.ts";

/** What is kept back for the host itself: its kernel, its daemons, the container engine and Styrmann. */
export interface Reserve {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

export interface NodeReportOptions {
  readonly nodeName: string;
  /** The user's own labels. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly hostAddress: string;
  readonly reserve?: Partial<Reserve>;
  readonly dynamicPorts?: readonly [number, number];
  readonly maxPods?: number;
  readonly version: string;
  /** Absent: this node takes no part in the cluster's network. */
  readonly network?: NodeNetwork;
}

type Drivers = Readonly<Partial<Record<DriverName, DriverReport>>>;

const DYNAMIC_PORTS: readonly [number, number] = [31_000, 32_000];
const MOST_PODS = 1000;
const MIB = 2 ** 20;

/**
 * A twentieth of the CPU (50 m to 1 core) and a tenth of the memory (128 MiB to 2 GiB), but never more than a quarter
 * of either, so that a tiny machine can still run something.
 */
export function defaultReserve(cpuMillis: number, memoryBytes: number): Reserve {
  return {
    cpuMillis: Math.floor(Math.min(cpuMillis / 4, clamp(cpuMillis / 20, 50, 1000))),
    memoryBytes: Math.floor(Math.min(memoryBytes / 4, clamp(memoryBytes / 10, 128 * MIB, 2048 * MIB))),
  };
}

/** What is left for pods. */
export function allocatableOf(host: HostReading, reserve: Partial<Reserve> = {}): Reserve {
  const usual = defaultReserve(host.cpuMillis, host.memoryBytes);
  return {
    cpuMillis: Math.max(0, host.cpuMillis - (reserve.cpuMillis ?? usual.cpuMillis)),
    memoryBytes: Math.max(0, host.memoryBytes - (reserve.memoryBytes ?? usual.memoryBytes)),
  };
}

/** This node, as its agent registers it. `before` keeps the times of conditions that did not change. */
export function nodeReport(
  options: NodeReportOptions,
  host: HostReading,
  drivers: Drivers,
  wallMs: number,
  before?: Draft<Node>,
): Draft<Node> {
  const { nodeName, hostAddress, reserve, version } = options;
  const allocatable = allocatableOf(host, reserve);
  const pods = String(options.maxPods ?? MOST_PODS);
  const disk = String(host.diskBytes);
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: nodeName, labels: labelsOf(options, host) },
    spec: options.network ? { podCIDR: options.network.wish } : {},
    status: {
      capacity: amounts(host.cpuMillis, host.memoryBytes, disk, pods),
      allocatable: amounts(allocatable.cpuMillis, allocatable.memoryBytes, disk, pods),
      conditions: [...conditionsOf(host), ...networkConditions(options.network, drivers)].map((condition) =>
        stamped(condition, before, wallMs),
      ),
      addresses: [
        { type: "InternalIP", address: hostAddress },
        { type: "Hostname", address: nodeName },
      ],
      nodeInfo: {
        machineID: host.machineId,
        bootID: host.bootId,
        kernelVersion: host.kernelVersion,
        osImage: host.osImage,
        architecture: host.architecture,
        operatingSystem: "linux",
        containerRuntimeVersion: drivers.docker?.version === undefined ? "" : `docker://${drivers.docker.version}`,
        kubeletVersion: version,
      },
      drivers: Object.fromEntries(Object.entries(drivers).map(([name, { network, ...report }]) => [name, report])),
      dynamicPorts: options.dynamicPorts ?? DYNAMIC_PORTS,
      ...(options.network ? { network: options.network.report } : {}),
    },
  };
}

function labelsOf({ nodeName, labels }: NodeReportOptions, host: HostReading): Readonly<Record<string, string>> {
  return { ...labels, [NODE_LABEL.hostname]: nodeName, [NODE_LABEL.os]: "linux", [NODE_LABEL.arch]: host.architecture };
}

/** Whether pods get a network here, whether others reach it, and whether its parts work. */
function networkConditions(network: NodeNetwork | undefined, drivers: Drivers): readonly Condition[] {
  const reached = reachedCondition(network, drivers);
  if (network === undefined || network.range === undefined) return reached;
  return [...reached, { type: NETWORK_WORKING, ...workOf(network, reached) }, ...steadyCondition(network)];
}

/** Nothing is said while all links are. */
function steadyCondition({ unsteady }: NodeNetwork): readonly Condition[] {
  if (unsteady === undefined) return [];
  return [{ type: LINKS_STEADY, status: "False", reason: LINK_UNSTEADY, message: unsteady }];
}

/** Parts that work are of no use to pods that get no network: that is said by the other condition in full. */
function workOf({ failing, isUnpublished }: NodeNetwork, reached: readonly Condition[]): Omit<Condition, "type"> {
  if (failing !== undefined)
    return { status: "False", reason: isUnpublished ? DOCKER_RULES_GONE : "PartFails", message: failing };
  if (podNetworkTrouble(reached) !== undefined)
    return { status: "False", reason: POD_NETWORK_MISSING, message: `${NETWORK_UNAVAILABLE}: its pods get no network` };
  return { status: "True", reason: "Working", message: "every part of its network works" };
}

/** Nothing is said by a node that has no part in the cluster's network, or no range yet, while there is nothing amiss. */
function reachedCondition(network: NodeNetwork | undefined, drivers: Drivers): readonly Condition[] {
  const { trouble, isClosed = false } = network ?? {};
  const range = isClosed ? undefined : network?.range;
  const unmade = Object.values(drivers).flatMap(({ network: words }) => words ?? []);
  // Whose range nobody may use: somebody else's network is in its place, or one of its own with other addresses, on which pods still run.
  const missing = [...unmade, ...(range === undefined && trouble !== undefined ? [trouble] : [])];
  const type = NETWORK_UNAVAILABLE;
  if (missing.length > 0) return [{ type, status: "True", reason: POD_NETWORK_MISSING, message: missing.join("; ") }];
  if (trouble !== undefined) return [{ type, status: "True", reason: "NotReached", message: trouble }];
  if (range === undefined) return [];
  return [{ type, status: "False", reason: "HasPodRange", message: `its pods have addresses of ${range}` }];
}

/** Memory in whole KiB: the quantity is the same after every boot's odd bytes. */
function amounts(cpu: number, memoryBytes: number, disk: string, pods: string): Readonly<Record<string, string>> {
  const memory = `${Math.floor(memoryBytes / 1024)}Ki`;
  return { cpu: formatCpuMillis(cpu), memory, "ephemeral-storage": disk, pods };
}

/** Kubernetes' eviction thresholds: memory.available < 100Mi; of the disk disk-probe.ts says. */
function conditionsOf({
  memoryAvailableBytes,
  memoryBytes,
  diskBytes,
  diskFreeBytes,
}: HostReading): readonly Condition[] {
  const lowMemory = memoryAvailableBytes < Math.min(100 * MIB, memoryBytes / 20);
  const lowDisk = isShort({ diskBytes, diskFreeBytes });
  return [
    { type: "Ready", status: "True", reason: "AgentReady", message: "the agent is running" },
    lowMemory
      ? {
          type: "MemoryPressure",
          status: "True",
          reason: "HasInsufficientMemory",
          message: "the host is short of memory",
        }
      : { type: "MemoryPressure", status: "False", reason: "HasSufficientMemory", message: "the host has memory left" },
    lowDisk
      ? {
          type: "DiskPressure",
          status: "True",
          reason: "HasDiskPressure",
          message: "the disk of the state directory is nearly full",
        }
      : { type: "DiskPressure", status: "False", reason: "HasNoDiskPressure", message: "the disk has room" },
  ];
}

/** A host on which a dead agent's exclusive pods go on says so. */
export function withUnguarded(node: Draft<Node>, words: string, wallMs: number, before?: Draft<Node>): Draft<Node> {
  const condition = { type: "ExclusiveGuard", status: "False", reason: "CannotGuard", message: words } as const;
  const conditions = [...node.status.conditions, stamped(condition, before, wallMs)];
  return { ...node, status: { ...node.status, conditions } };
}

function stamped(condition: Condition, before: Draft<Node> | undefined, wallMs: number): Condition {
  const known = before?.status.conditions.find(({ type }) => type === condition.type);
  const same = known?.status === condition.status ? known.lastTransitionTime : undefined;
  return { ...condition, lastTransitionTime: same ?? rfc3339(wallMs) };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
