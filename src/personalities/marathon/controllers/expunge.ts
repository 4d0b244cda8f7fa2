/** Forgets tasks of nodes that have been unreachable for longer than the app's expungeAfterSeconds. */
import type { Requeue } from "../../../controllers/controller.ts";
import { type Pod, pods } from "../../../model/pod.ts";
import type { Tx } from "../../../store/transaction.ts";
import type { AppDefinition } from "../app-definition.ts";
import type { Instance } from "../instance.ts";
import { parseTimestamp } from "../timestamp.ts";
import { MARATHON_ANNOTATION } from "../translate.ts";

/** Marathon looks for them this often, so that a lost task is seen as such for a while also with its default of 0. */
const LEAST_VISIBLE_MS = 30_000;

/**
 * The original forgets for good, and kills the task should it come back. Here a forgotten task that comes back counts
 * again, and is killed as the surplus that it then is: had its successor found no place, it would be the only one.
 */
export function expungeLost(tx: Tx, app: AppDefinition, instances: readonly Instance[]): Requeue | undefined {
  let afterMs: number | undefined;
  for (const { pod, condition } of instances) {
    if (condition === "UnreachableInactive") {
      const dueMs = expungeAtMs(app, pod);
      if (dueMs <= tx.nowMs) mark(tx, pod);
      else if (Number.isFinite(dueMs)) afterMs = Math.min(afterMs ?? Infinity, dueMs - tx.nowMs);
    } else if (condition !== "Gone") unmark(tx, pod);
  }
  return afterMs === undefined ? undefined : { afterMs };
}

function expungeAtMs({ unreachableStrategy: strategy }: AppDefinition, pod: Pod): number {
  if (strategy === "disabled") return Infinity;
  const since = pod.status.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
  const sinceMs = parseTimestamp(since ?? "") ?? 0;
  return sinceMs + Math.max(LEAST_VISIBLE_MS, strategy.expungeAfterSeconds * 1000);
}

function mark(tx: Tx, pod: Pod): void {
  const annotations = { ...pod.metadata.annotations, [MARATHON_ANNOTATION.expunged]: "true" };
  tx.update(pods, { ...pod, metadata: { ...pod.metadata, annotations } });
}

function unmark(tx: Tx, pod: Pod): void {
  const { [MARATHON_ANNOTATION.expunged]: marked, ...annotations } = pod.metadata.annotations ?? {};
  if (marked !== undefined) tx.update(pods, { ...pod, metadata: { ...pod.metadata, annotations } });
}
