import { formatCpuMillis, humanBytes } from "../lib/quantity.ts";
import { type Demand, type HostPort, portKey } from "./demand.ts";
import type { NodeInfo } from "./node-info.ts";
import { Refusal } from "./refusal.ts";

type Check = (demand: Demand, node: NodeInfo) => Refusal | undefined;

/**
 * Whether a pod can be on a node, looking at that node alone: drivers, the pod network, the node's labels and identity, resources,
 * ports. The one predicate of the scheduler, of an agent's admission and of Mesos offers. Gives the first thing that
 * speaks against it.
 */
export function fits(demand: Demand, node: NodeInfo): Refusal | undefined {
  return (
    checkDrivers(demand, node) ??
    checkPodNetwork(demand, node) ??
    checkPublishing(demand, node) ??
    checkNodeRules(demand, node) ??
    fitsRoom(demand, node)
  );
}

/** Resources and ports: what other pods leave. */
export function fitsRoom(demand: Demand, node: NodeInfo): Refusal | undefined {
  return (
    checkCpu(demand, node) ??
    checkMemory(demand, node) ??
    checkDisk(demand, node) ??
    (demand.extended.length === 0 ? undefined : checkExtended(demand, node)) ??
    checkPods(demand, node) ??
    (demand.hostPorts.length === 0 ? undefined : checkPorts(demand, node)) ??
    (demand.dynamicPorts === 0 ? undefined : checkDynamicPorts(demand, node))
  );
}

/** Everything that `fits` could object to, at once, but for rules about the node, of which the first. */
export function allMisfits(demand: Demand, node: NodeInfo): readonly Refusal[] {
  const checks = [
    checkDrivers,
    checkPodNetwork,
    checkPublishing,
    checkNodeRules,
    checkCpu,
    checkMemory,
    checkDisk,
    checkExtended,
    checkPods,
    checkPorts,
    checkDynamicPorts,
  ];
  return checks.flatMap((check) => check(demand, node) ?? []);
}

export const checkDrivers: Check = (demand, { facts }) => {
  for (const driver of demand.drivers) {
    const state = facts.drivers[driver];
    if (state === "") continue;
    const name = driver === "docker" ? "Docker" : `the ${driver} driver`;
    return new Refusal("driver", () =>
      state === undefined ? `needs ${name}, which this node does not have` : `needs ${name}: ${state}`,
    );
  }
  return undefined;
};

export const checkPodNetwork: Check = ({ podNetwork }, { facts }) => {
  if (!podNetwork || facts.podNetwork === "") return undefined;
  return new Refusal("pod network", () => `gives pods no network: ${facts.podNetwork}`);
};

export const checkPublishing: Check = ({ publishes }, { facts }) => {
  if (!publishes || facts.publishes) return undefined;
  return new Refusal(
    "published ports",
    () => "publishes no ports: somebody took Docker's own rules away there (systemctl restart docker makes them anew)",
  );
};

export const checkNodeRules: Check = (demand, { facts }) => {
  for (const rule of demand.nodeRules) {
    if (rule.admits(facts)) continue;
    return new Refusal(rule.filter, () => {
      const found = rule.keys.map((key) => `${key}=${facts.labels[key] ?? "(none)"}`).join(", ");
      return `does not satisfy ${rule.from}${found ? ` (it has ${found})` : ""}`;
    });
  }
  return undefined;
};

const checkCpu: Check = (demand, node) => {
  const total = node.facts.allocatable.cpuMillis;
  const free = total - node.usedCpuMillis;
  if (demand.cpuMillis <= free || demand.cpuMillis === 0) return undefined;
  return new Refusal("cpu", () => {
    const words = [demand.cpuMillis, Math.max(0, free), total].map(formatCpuMillis);
    return `needs ${words[0]} CPU, ${words[1]} of ${words[2]} free`;
  });
};

const checkMemory: Check = (demand, node) => {
  const total = node.facts.allocatable.memoryBytes;
  const free = total - node.usedMemoryBytes;
  if (demand.memoryBytes <= free || demand.memoryBytes === 0) return undefined;
  return new Refusal("memory", () => amounts("memory", demand.memoryBytes, free, total));
};

const checkDisk: Check = (demand, node) => {
  const total = node.facts.allocatable.diskBytes;
  const free = total - node.usedDiskBytes;
  if (demand.diskBytes <= free || demand.diskBytes === 0) return undefined;
  return new Refusal("disk", () => amounts("disk", demand.diskBytes, free, total));
};

const checkExtended: Check = (demand, node) => {
  for (const [resource, amount] of demand.extended) {
    const free = node.freeExtended(resource);
    if (amount <= free) continue;
    const total = node.facts.extended[resource] ?? 0;
    return new Refusal("resource", () => `needs ${amount} ${resource}, ${Math.max(0, free)} of ${total} free`);
  }
  return undefined;
};

function amounts(what: string, needed: number, free: number, total: number): string {
  return `needs ${humanBytes(needed)} ${what}, ${humanBytes(Math.max(0, free))} of ${humanBytes(total)} free`;
}

const checkPods: Check = (_demand, node) => {
  const { pods } = node.facts.allocatable;
  if (node.pods.size < pods) return undefined;
  return new Refusal("pods", () => `already has ${node.pods.size} pods, and takes ${pods}`);
};

const checkPorts: Check = (demand, node) => {
  for (const port of demand.hostPorts) {
    const [holder] = holdersOf(node, port);
    if (holder === undefined) continue;
    return new Refusal("port", () => `needs host port ${port.port}/${port.protocol.toLowerCase()}, held by ${holder}`);
  }
  return undefined;
};

/** Who holds a host port; an address of its own clashes with the same address and with all addresses. */
export function holdersOf(node: NodeInfo, port: HostPort): readonly string[] {
  const held = node.ports.get(portKey(port)) ?? [];
  return held
    .filter(({ port: { hostIP } }) => hostIP === undefined || port.hostIP === undefined || hostIP === port.hostIP)
    .map(({ podKey }) => podKey);
}

const checkDynamicPorts: Check = (demand, node) => {
  const own = demand.hostPorts.filter(({ port }) => node.isDynamic(port)).length;
  const free = node.freeDynamicPorts - own;
  if (demand.dynamicPorts <= free || demand.dynamicPorts === 0) return undefined;
  return new Refusal("dynamic ports", () => {
    const [first, last] = node.facts.dynamicPorts;
    return `needs ${demand.dynamicPorts} host ports, ${Math.max(0, free)} of ${first}-${last} free`;
  });
};
