import type { Pod } from "../../model/pod.ts";

/**
 * Where a pod's successor would be placed now. `here`: on its own node (that it was cordoned is not known yet, or nothing is
 * gained). `unknown`: the scheduler is still reading; ask again in a moment.
 */
export type Elsewhere =
  | { readonly kind: "fits"; readonly nodeName: string }
  | { readonly kind: "nowhere"; readonly reason: string }
  | { readonly kind: "here" }
  | { readonly kind: "unknown" };

/**
 * Asked before a pod is moved, so that nothing is stopped that then waits for a place. `stopsFirst`: as if the pod itself
 * had stopped already. The scheduler answers; app/ passes it in.
 */
export type FindElsewhere = (pod: Pod, stopsFirst: boolean) => Elsewhere;
