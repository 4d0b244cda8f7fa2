/** The scheduler's refusals in the names of Marathon's funnel (specification 2.2). Pure. */

/** In the order in which Marathon asks. */
export const REJECT_REASONS = [
  "UnfulfilledRole",
  "UnfulfilledConstraint",
  "NoCorrespondingReservationFound",
  "AgentMaintenance",
  "InsufficientCpus",
  "InsufficientMemory",
  "InsufficientDisk",
  "InsufficientGpus",
  "InsufficientPorts",
  "DeclinedScarceResources",
] as const;

export type RejectReason = (typeof REJECT_REASONS)[number];

/** What the words of a refusal are about; the first that fits. Whatever names no resource is a rule that was not met. */
const SIGNS: readonly (readonly [RegExp, RejectReason])[] = [
  [/styrmann\.dev\/role|acceptedResourceRoles/i, "UnfulfilledRole"],
  [/cordon|unschedulable|maintenance|drain/i, "AgentMaintenance"],
  [/\bcpus?\b/i, "InsufficientCpus"],
  [/memory|\bmem\b/i, "InsufficientMemory"],
  [/disk|storage/i, "InsufficientDisk"],
  [/gpu/i, "InsufficientGpus"],
  [/\bports?\b/i, "InsufficientPorts"],
];

export function rejectReasonOf(words: string): RejectReason {
  return SIGNS.find(([sign]) => sign.test(words))?.[1] ?? "UnfulfilledConstraint";
}

/**
 * How many nodes were refused for what, from the scheduler's sentence
 * (`0/3 nodes are available: 2 Insufficient cpu, 1 node(s) didn't match …`). Words without a count speak for all nodes.
 */
export function declinedBy(message: string, nodes: number): ReadonlyMap<RejectReason, number> {
  const declined = new Map<RejectReason, number>();
  const reasons = message.replace(/^\s*\d+\/\d+ nodes are available[:,]?\s*/, "");
  for (const part of reasons.split(/[,;](?![^(]*\))/)) {
    const [, count, words = ""] = /^\s*(?:(\d+)\s+(?!%))?(.*?)\.?\s*$/s.exec(part) ?? [];
    if (words === "") continue;
    const reason = rejectReasonOf(words);
    declined.set(reason, Math.min(nodes, (declined.get(reason) ?? 0) + (count === undefined ? nodes : Number(count))));
  }
  return declined;
}

export interface RejectCount {
  readonly reason: RejectReason;
  readonly declined: number;
  readonly processed: number;
}

/** A funnel: each reason was asked of the nodes that passed those before it. */
export function rejectSummary(declined: ReadonlyMap<RejectReason, number>, nodes: number): readonly RejectCount[] {
  let left = nodes;
  return REJECT_REASONS.map((reason) => {
    const count = Math.min(left, declined.get(reason) ?? 0);
    const entry = { reason, declined: count, processed: left };
    left -= count;
    return entry;
  });
}
