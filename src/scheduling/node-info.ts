import { keyOf } from "../model/meta.ts";
import { isTerminal, type Pod } from "../model/pod.ts";
import { compileDemand, type Demand, type HostPort, portKey } from "./demand.ts";
import { type Amounts, type NodeFacts, type NodeLike, nodeFacts } from "./node-facts.ts";
import type { PodIdentity } from "./selection.ts";

/** A pod that has its place. */
export interface PlacedPod {
  /** `namespace/name`. */
  readonly key: string;
  readonly identity: PodIdentity;
  readonly demand: Demand;
}

/** One node's facts and what its pods take of it. Readers see it as readonly; only its owner adds and removes pods. */
export class NodeInfo {
  readonly facts: NodeFacts;
  readonly pods = new Map<string, PlacedPod>();
  /** `tcp/80` → who holds it. */
  readonly ports = new Map<string, { readonly podKey: string; readonly port: HostPort }[]>();
  usedCpuMillis = 0;
  usedMemoryBytes = 0;
  usedDiskBytes = 0;
  readonly usedExtended = new Map<string, number>();
  /** How many host ports of the dynamic range are held. */
  usedDynamicPorts = 0;
  /** How full the node is for scoring, in millionths: the mean of CPU and memory, where a pod that asks for nothing weighs a little. */
  load = 0;
  #weightCpu = 0;
  #weightMemory = 0;

  constructor(facts: NodeFacts, placed: Iterable<PlacedPod> = []) {
    this.facts = facts;
    for (const pod of placed) this.add(pod);
  }

  get name(): string {
    return this.facts.name;
  }

  get free(): Amounts {
    const { cpuMillis, memoryBytes, diskBytes, pods } = this.facts.allocatable;
    return {
      cpuMillis: cpuMillis - this.usedCpuMillis,
      memoryBytes: memoryBytes - this.usedMemoryBytes,
      diskBytes: diskBytes - this.usedDiskBytes,
      pods: pods - this.pods.size,
    };
  }

  /** How much of a resource without a field of its own is left. */
  freeExtended(resource: string): number {
    return (this.facts.extended[resource] ?? 0) - (this.usedExtended.get(resource) ?? 0);
  }

  get freeDynamicPorts(): number {
    const [first, last] = this.facts.dynamicPorts;
    return last - first + 1 - this.usedDynamicPorts;
  }

  add(pod: PlacedPod): void {
    this.remove(pod.key);
    this.pods.set(pod.key, pod);
    this.#count(pod.demand, 1);
    for (const port of pod.demand.hostPorts) {
      const holders = this.ports.get(portKey(port));
      if (holders) holders.push({ podKey: pod.key, port });
      else this.ports.set(portKey(port), [{ podKey: pod.key, port }]);
      if (this.isDynamic(port.port)) this.usedDynamicPorts++;
    }
  }

  remove(key: string): PlacedPod | undefined {
    const pod = this.pods.get(key);
    if (!pod) return undefined;
    this.pods.delete(key);
    this.#count(pod.demand, -1);
    for (const port of pod.demand.hostPorts) {
      const rest = this.ports.get(portKey(port))?.filter((holder) => holder.podKey !== key || holder.port !== port);
      if (rest?.length) this.ports.set(portKey(port), rest);
      else this.ports.delete(portKey(port));
      if (this.isDynamic(port.port)) this.usedDynamicPorts--;
    }
    return pod;
  }

  isDynamic(port: number): boolean {
    const [first, last] = this.facts.dynamicPorts;
    return port >= first && port <= last;
  }

  /** A copy that can be changed without changing this one. */
  clone(facts: NodeFacts = this.facts): NodeInfo {
    return new NodeInfo(facts, this.pods.values());
  }

  #count(demand: Demand, sign: 1 | -1): void {
    this.usedCpuMillis += sign * demand.cpuMillis;
    this.usedMemoryBytes += sign * demand.memoryBytes;
    this.usedDiskBytes += sign * demand.diskBytes;
    for (const [resource, amount] of demand.extended)
      this.usedExtended.set(resource, (this.usedExtended.get(resource) ?? 0) + sign * amount);
    this.#weightCpu += sign * weightCpu(demand);
    this.#weightMemory += sign * weightMemory(demand);
    this.load = loadOf(this.facts, this.#weightCpu, this.#weightMemory);
  }
}

/** How much fuller one pod makes a node, in millionths. */
export function loadOfDemand(facts: NodeFacts, demand: Demand): number {
  return loadOf(facts, weightCpu(demand), weightMemory(demand));
}

// Kubernetes' DefaultMilliCPURequest and DefaultMemoryRequest: without them every pod that asks for nothing would go to one node.
const weightCpu = (demand: Demand) => demand.cpuMillis || 100;
const weightMemory = (demand: Demand) => demand.memoryBytes || 200 * 2 ** 20;

/** Whole millionths, so that sums are exact and ties are real. */
function loadOf({ scoringCpu, scoringMemory }: NodeFacts, cpu: number, memory: number): number {
  const share = (used: number, of: number) => (of > 0 ? used / of : used > 0 ? 1 : 0);
  return Math.round(500_000 * share(cpu, scoringCpu) + 500_000 * share(memory, scoringMemory));
}

/** A node with the pods bound to it; finished pods hold nothing. For the agent's admission, Mesos offers and `styr why`. */
export function nodeInfoOf(node: NodeLike, bound: readonly Pod[]): NodeInfo {
  const placed = bound.filter((pod) => !isTerminal(pod)).map(placedPod);
  return new NodeInfo(nodeFacts(node), placed);
}

function placedPod(pod: Pod): PlacedPod {
  const demand = compileDemand(pod);
  return { key: keyOf(pod), identity: demand.identity, demand };
}
