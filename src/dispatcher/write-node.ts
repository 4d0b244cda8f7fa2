import type { Draft } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import type { Condition } from "../model/pod.ts";
import type { Tx } from "../store/transaction.ts";

/**
 * Creates or updates a node's object from what its agent says. Everything that others wrote on it stays: cordon and
 * taints, labels, resources that people added, conditions of others. Whether a silent node is ready again is for its
 * lease to say, so a Ready condition that says Unknown stays, too.
 */
export function writeNode(tx: Tx, draft: Draft<Node>): void {
  const before = tx.get(nodes, draft.metadata.name);
  if (!before) {
    tx.create(nodes, draft);
    return;
  }
  const { labels, annotations } = draft.metadata;
  const metadata = {
    ...before.metadata,
    labels: { ...before.metadata.labels, ...labels },
    ...(annotations === undefined ? {} : { annotations: { ...before.metadata.annotations, ...annotations } }),
  };
  const status = {
    ...before.status,
    ...draft.status,
    capacity: { ...before.status.capacity, ...draft.status.capacity },
    allocatable: { ...before.status.allocatable, ...draft.status.allocatable },
    conditions: conditionsOf(before.status.conditions, draft.status.conditions),
  };
  tx.update(nodes, { ...before, metadata, status });
}

/** The agent's in its order, then those of others. */
function conditionsOf(before: readonly Condition[], told: readonly Condition[]): readonly Condition[] {
  const known = new Map(before.map((condition) => [condition.type, condition]));
  const others = before.filter(({ type }) => !told.some((one) => one.type === type));
  return [...told.map((condition) => merged(known.get(condition.type), condition)), ...others];
}

function merged(before: Condition | undefined, told: Condition): Condition {
  if (before?.type === "Ready" && before.status === "Unknown") return before;
  // The agent does not see when others changed it in between.
  const since = before?.status === told.status ? before.lastTransitionTime : undefined;
  return since === undefined ? told : { ...told, lastTransitionTime: since };
}
