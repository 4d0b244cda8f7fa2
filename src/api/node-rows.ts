import { bytes, cpuMillis } from "../lib/quantity.ts";
import { isNodeReady, NETWORK_UNAVAILABLE, type Node, nodes, partsFail } from "../model/node.ts";
import { nodeDrains } from "../model/node-drain.ts";
import type { NodeState, NodeStates } from "../model/node-state.ts";
import type { NodeRow } from "../model/reports.ts";
import { type Clock, rfc3339 } from "../seams/clock.ts";
import type { Store } from "../store/store.ts";
import type { Asked, PodTally } from "./pod-tally.ts";
import { addressOf } from "./pod-urls.ts";
import { slices } from "./slices.ts";
import { whyNotLetIn } from "./why-not-let-in.ts";

interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  readonly tally: PodTally;
  readonly lifecycle?: NodeStates;
  readonly isLed?: () => boolean;
  readonly isStranger?: (address: string) => boolean;
  readonly untaken?: (node: string) => string | undefined;
}

/** In slices. */
export async function listNodes(parts: Parts): Promise<readonly NodeRow[]> {
  const { store, clock, tally, lifecycle, isLed } = parts;
  await tally.upToDate();
  const held = new Set(lifecycle?.brake?.nodes);
  const slice = slices(clock);
  const rows: NodeRow[] = [];
  for (const node of store.list(nodes)) {
    await slice();
    const { name } = node.metadata;
    const state = lifecycle?.stateOf(name);
    const drain = store.get(nodeDrains, name)?.status.phase;
    rows.push({
      ...withKnock(nodeRow(node, tally.onNode(name), state), parts),
      ...(held.has(name) ? { held: true as const } : {}),
      ...(drain === undefined ? {} : { drain }),
      ...(isLed?.() === false ? UNHEARD : {}),
    });
  }
  return rows;
}

/** What is stored of it is as old as the last server that led. */
const UNHEARD = { state: "unknown", reason: "no server leads, so nobody hears it" } as const;

/** Its agent's own "not ready" is more than that its agent is heard. */
export function stateWord(node: Node, state: NodeState | undefined): NodeRow["state"] {
  if (state === undefined || state.state === "ready") return isNodeReady(node) ? "ready" : "not ready";
  return state.state;
}

/** Of one that is not heard: its agent may be there, and not be let in. */
function withKnock(row: NodeRow, parts: Parts): NodeRow {
  const why = row.state === "ready" ? undefined : whyNotLetIn(row.name, row.address, parts);
  return why === undefined ? row : { ...row, reason: row.reason === undefined ? why : `${row.reason}; ${why}` };
}

function nodeRow(node: Node, there: Asked, state: NodeState | undefined): NodeRow {
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
    ...networkOf(node, word),
    cordoned: node.spec.unschedulable ?? false,
    ...(address === undefined ? {} : { address }),
    machineId: nodeInfo.machineID,
    pods: there.pods,
    cpuMillis: { asked: there.cpuMillis, allocatable: cpuMillis(allocatable.cpu) },
    memoryBytes: { asked: there.memoryBytes, allocatable: bytes(allocatable.memory) },
    drivers: Object.entries(drivers)
      .map(([name, { ready, reason }]) => ({ name, ready, ...(reason === undefined ? {} : { reason }) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    labels: node.metadata.labels ?? {},
    createdAt: node.metadata.creationTimestamp,
    version: nodeInfo.kubeletVersion,
    os: nodeInfo.osImage,
  };
}

/** Of one that is not heard it is not known. What parts of its network say may name what lies in any namespace, and everybody reads this. */
function networkOf({ status }: Node, word: NodeRow["state"]): Pick<NodeRow, "network"> {
  if (word !== "ready") return {};
  const network = status.conditions.flatMap((condition) => {
    const { type, status: now, message = "" } = condition;
    if (type === NETWORK_UNAVAILABLE && now === "True") return message;
    return partsFail(condition) ? "parts of it fail: styr network status" : [];
  });
  return network.length === 0 ? {} : { network };
}

function sinceOf({ status }: Node, state: NodeState | undefined): string | undefined {
  if (state) return rfc3339(state.sinceMs);
  return status.conditions.find(({ type }) => type === "Ready")?.lastTransitionTime;
}
