import { bytes, cpuMillis } from "../lib/quantity.ts";
import type { Labels } from "../model/label-selector.ts";
import { isCordonTaint, isUnpublished, type Node, podNetworkTrouble, type Taint } from "../model/node.ts";
import type { DriverName } from "../model/pod.ts";
import { NODE_LABEL } from "../model/well-known.ts";

/** What a node says of itself, as far as placement cares. Never changes; a changed node gets new facts. */
export interface NodeFacts {
  readonly name: string;
  readonly labels: Labels;
  readonly machineId: string;
  readonly taints: readonly Taint[];
  readonly cordoned: boolean;
  readonly ready: boolean;
  readonly notReadyReason: string | undefined;
  /** What it says of its health, one word (IOStalled, EngineSilent, …); undefined = nothing is amiss. */
  readonly unwell: string | undefined;
  /** "" = ready; otherwise why not. Absent = not there at all. */
  readonly drivers: Readonly<Partial<Record<DriverName, string>>>;
  /** "" = pods get a network of their own here; otherwise why not. */
  readonly podNetwork: string;
  /** Its engine can publish containers' ports. */
  readonly publishes: boolean;
  readonly allocatable: Amounts;
  /** What it offers of resources that have no field in `allocatable`. */
  readonly extended: Readonly<Record<string, number>>;
  readonly dynamicPorts: readonly [number, number];
  /** Capacity as scoring sees it, rounded so that hosts of one make, whose kernels keep a little more or less, are alike. */
  readonly scoringCpu: number;
  readonly scoringMemory: number;
}

export interface Amounts {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  /** Infinity where the node does not say. */
  readonly diskBytes: number;
  readonly pods: number;
}

/** A node as an agent registers it will do: it need not have been stored. */
export type NodeLike = Pick<Node, "spec" | "status"> & {
  readonly metadata: { readonly name: string; readonly labels?: Labels };
};

export function nodeFacts(node: NodeLike): NodeFacts {
  const { allocatable, conditions, drivers, dynamicPorts, nodeInfo } = node.status;
  const cpu = cpuMillis(allocatable.cpu);
  const memory = bytes(allocatable.memory);
  const readyCondition = conditions.find(({ type }) => type === "Ready");
  const health = conditions.find(({ type }) => type === "Healthy");
  return {
    name: node.metadata.name,
    labels: node.metadata.labels ?? {},
    machineId: nodeInfo.machineID,
    // `cordoned` says it.
    taints: (node.spec.taints ?? []).filter((taint) => !isCordonTaint(taint)),
    cordoned: node.spec.unschedulable === true,
    ready: readyCondition?.status === "True",
    notReadyReason: readyCondition?.message ?? readyCondition?.reason,
    unwell: health?.status === "False" ? (health.reason ?? "not healthy") : undefined,
    drivers: Object.fromEntries(
      Object.entries(drivers).map(([name, { ready, reason }]) => [name, ready ? "" : (reason ?? "not ready")]),
    ),
    podNetwork: podNetworkTrouble(conditions) ?? "",
    publishes: !isUnpublished(conditions),
    allocatable: {
      cpuMillis: cpu,
      memoryBytes: memory,
      diskBytes: allocatable["ephemeral-storage"] ? bytes(allocatable["ephemeral-storage"]) : Number.POSITIVE_INFINITY,
      pods: allocatable.pods ? bytes(allocatable.pods) : Number.POSITIVE_INFINITY,
    },
    extended: Object.fromEntries(
      extendedNames(Object.keys(allocatable)).map((name) => [name, bytes(allocatable[name])]),
    ),
    dynamicPorts,
    scoringCpu: roundForScoring(cpu),
    scoringMemory: roundForScoring(memory),
  };
}

const OWN_FIELDS: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage", "pods"]);

/** Names of resources that have no field in Amounts, sorted. */
export function extendedNames(names: Iterable<string>): readonly string[] {
  return [...names].filter((name) => !OWN_FIELDS.has(name)).sort();
}

/** To five significant bits: within 3 % of the truth. */
function roundForScoring(amount: number): number {
  if (amount <= 0) return 0;
  const step = 2 ** (Math.floor(Math.log2(amount)) - 4);
  return Math.round(amount / step) * step;
}

/** The node's value of a topology key; `kubernetes.io/hostname` is the node itself, whatever its label says. */
export function topologyValue(facts: NodeFacts, key: string): string | undefined {
  return key === NODE_LABEL.hostname ? facts.name : facts.labels[key];
}
