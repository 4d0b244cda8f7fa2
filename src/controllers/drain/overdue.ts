/** How long a drain waits for what does not come, and in whose words. Pure. */
import type { Copies } from "../../model/copies.ts";
import { disruptionOf } from "../../model/disruption.ts";
import type { DrainedPod } from "../../model/node-drain.ts";
import type { Pod } from "../../model/pod.ts";

/** A move that has waited for so long is not waited for: its pod runs on, and others have their turn. */
const OVERDUE_MS = 60_000;
const MOST_NAMED = 3;

/** Its user asks for more than being ready: that time is not counted against it. */
export function overdueAfterMs(copies: Copies | undefined): number {
  return OVERDUE_MS + (copies?.minReadyMs ?? 0);
}

export function movingSinceMs(pod: Pod): number {
  return Date.parse(disruptionOf(pod)?.lastTransitionTime ?? pod.metadata.creationTimestamp);
}

export function notReadySinceMs({ metadata, status }: Pod): number {
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  return Date.parse(ready?.lastTransitionTime ?? metadata.creationTimestamp);
}

/** `web, db and 3 more`, as their users call them. */
export function namesOf(rows: readonly DrainedPod[]): string {
  const names = [...new Set(rows.map(({ workload }) => workload))].sort();
  const more = names.length - MOST_NAMED;
  return more <= 0 ? names.join(", ") : `${names.slice(0, MOST_NAMED).join(", ")} and ${more} more`;
}
