/** What a node's object says of its lease: Kubernetes' words. Pure. */
import type { NodeHealth } from "../../model/heartbeat.ts";
import { BRAKE_HOLDS, type Node, type Taint } from "../../model/node.ts";
import type { Condition } from "../../model/pod.ts";
import { rfc3339 } from "../../seams/clock.ts";

export const UNREACHABLE_TAINT = "node.kubernetes.io/unreachable";
export const HEALTHY = "Healthy";

const SILENT = "NodeStatusUnknown";
/** Kubernetes: no agent has ever said anything of this node. */
const NEVER = "NodeStatusNeverUpdated";
const HELD = BRAKE_HOLDS;
const REASON_OF = { held: HELD, lost: SILENT, "never up": NEVER } as const;
const OURS: ReadonlySet<string | undefined> = new Set(Object.values(REASON_OF));

/** As its lease has it: `up`, silent but held by the brake, lost, or lost without ever having lived. */
export type Standing = "up" | "held" | "lost" | "never up";

export function isLost(standing: Standing | undefined): boolean {
  return standing === "lost" || standing === "never up";
}

/** Whether an agent has ever been heard from it, as far as is stored. */
export function hasLived({ status }: Node): boolean {
  const ready = status.conditions.find(({ type }) => type === "Ready");
  return ready !== undefined && ready.reason !== NEVER;
}

/** Gives the same object when it says so already. */
export function markNode(node: Node, standing: Standing, message: string, nowMs: number): Node {
  const ready = markReady(node, standing, message, nowMs);
  return standing === "held" ? ready : markTaints(ready, isLost(standing), nowMs);
}

function markReady(node: Node, standing: Standing, message: string, nowMs: number): Node {
  const before = node.status.conditions.find(({ type }) => type === "Ready");
  const isOurs = before?.status === "Unknown" && OURS.has(before.reason);
  if (standing === "up") {
    if (!isOurs) return node;
    return withCondition(
      node,
      { type: "Ready", status: "True", reason: "AgentReady", message: "the agent is running" },
      nowMs,
    );
  }
  const reason = REASON_OF[standing];
  if (isOurs && before.reason === reason) return node;
  return withCondition(node, { type: "Ready", status: "Unknown", reason, message }, nowMs);
}

function markTaints(node: Node, lost: boolean, nowMs: number): Node {
  const present = node.spec.taints ?? [];
  const others = present.filter(({ key }) => key !== UNREACHABLE_TAINT);
  if (!lost) return others.length === present.length ? node : { ...node, spec: { ...node.spec, taints: others } };
  if (present.length - others.length === 2) return node;
  const timeAdded = rfc3339(nowMs);
  const added: readonly Taint[] = [
    { key: UNREACHABLE_TAINT, effect: "NoSchedule", timeAdded },
    { key: UNREACHABLE_TAINT, effect: "NoExecute", timeAdded },
  ];
  return { ...node, spec: { ...node.spec, taints: [...others, ...added] } };
}

const REASON: Readonly<Record<NodeHealth, string | undefined>> = {
  ok: undefined,
  "io-stalled": "IOStalled",
  "engine-silent": "EngineSilent",
  "keeper-silent": "KeeperSilent",
  "memory-pressure": "MemoryPressure",
  "disk-pressure": "DiskPressure",
  "agent-stalled": "AgentStalled",
};

/** Why new pods better go elsewhere; undefined = they need not. */
export interface Trouble {
  readonly reason: string;
  readonly message: string;
}

export function troubleOf(health: NodeHealth, message: string): Trouble | undefined {
  const reason = REASON[health];
  return reason === undefined ? undefined : { reason, message: message || reason };
}

/** A node that never was unwell says nothing of it. */
export function markHealth(node: Node, trouble: Trouble | undefined, nowMs: number): Node {
  const before = node.status.conditions.find(({ type }) => type === HEALTHY);
  if (!trouble) {
    if (before === undefined || before.status === "True") return node;
    return withCondition(node, { type: HEALTHY, status: "True", reason: "Well", message: "nothing is amiss" }, nowMs);
  }
  if (before?.status === "False" && before.reason === trouble.reason) return node;
  return withCondition(node, { type: HEALTHY, status: "False", ...trouble }, nowMs);
}

/** Whether the object says so already. */
export function saysHealth(node: Node, trouble: Trouble | undefined): boolean {
  return markHealth(node, trouble, 0) === node;
}

/** Since when its pods are being replaced, in wall time, as a control plane before this one wrote it. */
export function lostSinceMs(node: Node): number | undefined {
  const taint = node.spec.taints?.find(({ key, effect }) => key === UNREACHABLE_TAINT && effect === "NoExecute");
  if (!taint) return undefined;
  const ready = node.status.conditions.find(({ type }) => type === "Ready");
  const text = taint.timeAdded ?? (ready?.status === "Unknown" ? ready.lastTransitionTime : undefined);
  return text === undefined ? undefined : Date.parse(text);
}

/** Since when the brake holds it, in wall time, as a control plane before this one wrote it. */
export function heldSinceMs({ status }: Node): number | undefined {
  const ready = status.conditions.find(({ type }) => type === "Ready");
  return ready?.status === "Unknown" && ready.reason === HELD ? Date.parse(ready.lastTransitionTime ?? "") : undefined;
}

function withCondition(node: Node, condition: Condition, nowMs: number): Node {
  const { conditions } = node.status;
  const before = conditions.find(({ type }) => type === condition.type);
  const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
  const stamped = { ...condition, lastTransitionTime: since ?? rfc3339(nowMs) };
  const after = before ? conditions.map((one) => (one === before ? stamped : one)) : [...conditions, stamped];
  return { ...node, status: { ...node.status, conditions: after } };
}
