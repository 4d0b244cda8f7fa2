/** In which order a drain moves pods: whose move disturbs least goes first, what keeps the cluster going goes last. */

import type { Kept } from "../../model/copies-book.ts";
import { keyOf } from "../../model/meta.ts";
import { isReady, type Pod } from "../../model/pod.ts";
import { CLUSTER_NAMESPACES } from "../../model/system-namespaces.ts";

export function isSystemPod({ metadata, spec }: Pod): boolean {
  return (
    CLUSTER_NAMESPACES.includes(metadata.namespace ?? "") || (spec.priorityClassName?.startsWith("system-") ?? false)
  );
}

export interface Candidate {
  readonly pod: Pod;
  readonly kept: Kept;
}

export function drainOrder(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.toSorted((a, b) => rank(a) - rank(b) || (keyOf(a.pod) < keyOf(b.pod) ? -1 : 1));
}

function rank({ pod, kept }: Candidate): number {
  const system = isSystemPod(pod) ? 10 : 0;
  if (!isReady(pod)) return system;
  if (kept.moves === "start first") return system + ((kept.copies?.wanted ?? 1) > 1 ? 1 : 2);
  return system + (kept.moves === "stop first" ? 3 : 4);
}
