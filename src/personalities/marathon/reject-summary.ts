/** The scheduler's refusals in the names of Marathon's funnel (specification 2.2). Pure. */

/** In the order in which Marathon asks. */
const REJECT_REASONS = [
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

/** What the scheduler's words are about; the first that fits. Whatever names no resource is a rule that was not met. */
const SIGNS: readonly (readonly [RegExp, RejectReason])[] = [
  [/acceptedResourceRoles/, "UnfulfilledRole"],
  [/^does not satisfy/, "UnfulfilledConstraint"],
  [/cordon|not ready|maintenance|drain/i, "AgentMaintenance"],
  [/^needs \S+ CPU\b/i, "InsufficientCpus"],
  [/^needs .* memory\b/i, "InsufficientMemory"],
  [/^needs .* disk\b/i, "InsufficientDisk"],
  [/\bgpus?\b/i, "InsufficientGpus"],
  [/^needs .*host ports?\b/i, "InsufficientPorts"],
  [/^already has \d+ pods/, "DeclinedScarceResources"],
];

function rejectReasonOf(words: string): RejectReason {
  return SIGNS.find(([sign]) => sign.test(words))?.[1] ?? "UnfulfilledConstraint";
}

/** `n1: `, `n1 and n2: `, `n1 and 7 others: `: for which nodes the words that follow are true. */
const NODES = String.raw`\S+(?: and (?:\d+ others|\S+))?: `;

/**
 * How many nodes were refused for what, from the scheduler's sentence
 * (`0 of 4 nodes can take it. n1 and 2 others: needs 3 CPU, 1 of 4 free; n4: does not satisfy …`).
 */
export function declinedBy(message: string): ReadonlyMap<RejectReason, number> {
  const declined = new Map<RejectReason, number>();
  const reasons = message.replace(/^\d+ of \d+ nodes? can take it\. /, "");
  for (const part of reasons.split(new RegExp(`; (?=${NODES})`))) {
    const nodes = new RegExp(`^${NODES}`).exec(part)?.[0];
    if (nodes === undefined) continue;
    const reason = rejectReasonOf(part.slice(nodes.length));
    declined.set(reason, (declined.get(reason) ?? 0) + countOf(nodes));
  }
  return declined;
}

function countOf(nodes: string): number {
  const others = / and (\d+) others: $/.exec(nodes)?.[1];
  if (others !== undefined) return Number(others) + 1;
  return nodes.includes(" and ") ? 2 : 1;
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
