import { rfc3339 } from "../seams/clock.ts";
import { isTerminal, type Pod } from "./pod.ts";

/** Kubernetes' default when nobody says otherwise. */
const DEFAULT_GRACE_SECONDS = 30;

export type PodDeletion =
  | { readonly kind: "remove" }
  | { readonly kind: "mark"; readonly pod: Pod }
  | { readonly kind: "already" };

/**
 * What asking for a pod's deletion does to the store. A pod that no agent can be running (not bound, or over) goes at
 * once; any other is marked and stays until its agent confirms that everything has stopped. Asking again may only
 * shorten the grace. Grace 0 still waits for the agent: a pod that disappears while it runs would be started twice.
 */
export function planPodDeletion(pod: Pod, nowMs: number, graceSeconds?: number): PodDeletion {
  if (pod.spec.nodeName === undefined || isTerminal(pod)) return { kind: "remove" };
  const grace = Math.max(0, graceSeconds ?? pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS);
  const { deletionGracePeriodSeconds: present, deletionTimestamp } = pod.metadata;
  if (deletionTimestamp !== undefined && (present ?? 0) <= grace) return { kind: "already" };
  const metadata = {
    ...pod.metadata,
    // Kubernetes: the moment by which it is to be gone, not the moment of asking.
    deletionTimestamp: rfc3339(nowMs + grace * 1000),
    deletionGracePeriodSeconds: grace,
  };
  return { kind: "mark", pod: { ...pod, metadata } };
}
