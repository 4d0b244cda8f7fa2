import { bytes, cpuMillis } from "../lib/quantity.ts";
import { isNodeReady, type Node, nodes } from "../model/node.ts";
import { isTerminal, type Pod, pods } from "../model/pod.ts";
import type { NodeRow } from "../model/reports.ts";
import type { WorkloadReader } from "../model/workload.ts";
import { compileDemand, type Demand } from "../scheduling/demand.ts";
import { addressOf } from "./pod-urls.ts";

export function listNodes(reader: WorkloadReader): readonly NodeRow[] {
  const bound = new Map<string, Pod[]>();
  for (const pod of reader.list(pods)) {
    const { nodeName } = pod.spec;
    if (nodeName === undefined || isTerminal(pod)) continue;
    const there = bound.get(nodeName);
    if (there) there.push(pod);
    else bound.set(nodeName, [pod]);
  }
  return reader.list(nodes).map((node) => nodeRow(node, bound.get(node.metadata.name) ?? []));
}

function nodeRow(node: Node, there: readonly Pod[]): NodeRow {
  const { allocatable, conditions, drivers, nodeInfo } = node.status;
  const ready = isNodeReady(node);
  const reason = conditions.find(({ type }) => type === "Ready")?.message ?? "it has not reported that it is ready";
  const address = addressOf(node);
  return {
    name: node.metadata.name,
    status: ready ? "ready" : "not ready",
    ...(ready ? {} : { reason }),
    cordoned: node.spec.unschedulable ?? false,
    ...(address === undefined ? {} : { address }),
    machineId: nodeInfo.machineID,
    pods: there.length,
    cpuMillis: { asked: sum(there, (demand) => demand.cpuMillis), allocatable: cpuMillis(allocatable.cpu) },
    memoryBytes: { asked: sum(there, (demand) => demand.memoryBytes), allocatable: bytes(allocatable.memory) },
    drivers: Object.entries(drivers)
      .map(([name, { ready, reason }]) => ({ name, ready, ...(reason === undefined ? {} : { reason }) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    labels: node.metadata.labels ?? {},
    createdAt: node.metadata.creationTimestamp,
    version: nodeInfo.kubeletVersion,
    os: nodeInfo.osImage,
  };
}

/** As the scheduler counts it, so that a refusal and this row never disagree. */
function sum(there: readonly Pod[], amount: (demand: Demand) => number): number {
  return there.reduce((total, pod) => total + amount(compileDemand(pod)), 0);
}
