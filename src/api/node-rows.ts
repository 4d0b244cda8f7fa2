import { bytes, cpuMillis } from "../lib/quantity.ts";
import { isNodeReady, type Node, nodes } from "../model/node.ts";
import type { NodeState, NodeStates } from "../model/node-state.ts";
import { isTerminal, type Pod, pods } from "../model/pod.ts";
import type { NodeRow } from "../model/reports.ts";
import type { WorkloadReader } from "../model/workload.ts";
import { compileDemand, type Demand } from "../scheduling/demand.ts";
import { rfc3339 } from "../seams/clock.ts";
import { addressOf } from "./pod-urls.ts";

export function listNodes(reader: WorkloadReader, lifecycle?: NodeStates): readonly NodeRow[] {
  const bound = new Map<string, Pod[]>();
  for (const pod of reader.list(pods)) {
    const { nodeName } = pod.spec;
    if (nodeName === undefined || isTerminal(pod)) continue;
    const there = bound.get(nodeName);
    if (there) there.push(pod);
    else bound.set(nodeName, [pod]);
  }
  const held = new Set(lifecycle?.brake?.nodes);
  return reader.list(nodes).map((node) => {
    const { name } = node.metadata;
    const state = lifecycle?.stateOf(name);
    return { ...nodeRow(node, bound.get(name) ?? [], state), ...(held.has(name) ? { held: true as const } : {}) };
  });
}

/** Its agent's own "not ready" is more than that its agent is heard. */
export function stateWord(node: Node, state: NodeState | undefined): NodeRow["state"] {
  if (state === undefined || state.state === "ready") return isNodeReady(node) ? "ready" : "not ready";
  return state.state;
}

function nodeRow(node: Node, there: readonly Pod[], state: NodeState | undefined): NodeRow {
  const { allocatable, conditions, drivers, nodeInfo } = node.status;
  const ready = isNodeReady(node);
  const reason = conditions.find(({ type }) => type === "Ready")?.message ?? "it has not reported that it is ready";
  const address = addressOf(node);
  const word = stateWord(node, state);
  const since = sinceOf(node, state);
  const health = conditions.find(({ type, status }) => type === "Healthy" && status === "False");
  // The lifecycle's words are newer than what is stored, and tell of suspicion too.
  const why = state === undefined || state.state === "ready" ? (ready ? undefined : reason) : state.words;
  return {
    name: node.metadata.name,
    status: ready ? "ready" : "not ready",
    state: word,
    ...(since === undefined ? {} : { since }),
    ...(health ? { health: { word: health.reason ?? "Unwell", message: health.message ?? "" } } : {}),
    ...(why === undefined ? {} : { reason: why }),
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

function sinceOf({ status }: Node, state: NodeState | undefined): string | undefined {
  if (state) return rfc3339(state.sinceMs);
  return status.conditions.find(({ type }) => type === "Ready")?.lastTransitionTime;
}

/** As the scheduler counts it, so that a refusal and this row never disagree. */
function sum(there: readonly Pod[], amount: (demand: Demand) => number): number {
  return there.reduce((total, pod) => total + amount(compileDemand(pod)), 0);
}
