import { keyOf } from "../model/meta.ts";
import { type Pod, pods } from "../model/pod.ts";
import { planPodDeletion } from "../model/pod-deletion.ts";
import type { Tx } from "./transaction.ts";

/** Asks for a pod's deletion with grace; the pod leaves the store when its agent says it has stopped. */
export function deletePod(tx: Tx, pod: Pod, graceSeconds?: number): void {
  const plan = planPodDeletion(pod, tx.nowMs, graceSeconds);
  if (plan.kind === "remove") tx.remove(pods, keyOf(pod));
  else if (plan.kind === "mark") tx.update(pods, plan.pod);
}
