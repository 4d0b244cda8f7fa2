import { keyOf } from "../model/meta.ts";
import type { Pod } from "../model/pod.ts";
import { compileTemplate } from "./demand.ts";
import type { NodeIndex } from "./node-index.ts";
import { summarizeRefusals } from "./refusal-summary.ts";

export type SuccessorPlace =
  | { readonly kind: "fits"; readonly nodeName: string }
  | { readonly kind: "nowhere"; readonly reason: string }
  | { readonly kind: "here" }
  | { readonly kind: "unknown" };

/**
 * Where a successor of a placed pod would go now; with `stopsFirst`, as if the pod had stopped already. `here`: to its own
 * node; `unknown`: the index is not complete yet.
 */
export function successorPlace(index: NodeIndex, pod: Pod, stopsFirst: boolean): SuccessorPlace {
  const { nodeName = "" } = pod.spec;
  const own = stopsFirst ? index.node(nodeName)?.pods.get(keyOf(pod)) : undefined;
  if (own) index.removePod(nodeName, own.key);
  try {
    const demand = compileTemplate(pod);
    const placement = index.place(demand);
    if (!placement) return { kind: "nowhere", reason: summarizeRefusals(demand, index.nodes, index.census).message };
    return placement.node.name === nodeName ? { kind: "here" } : { kind: "fits", nodeName: placement.node.name };
  } finally {
    if (own) index.addPod(nodeName, own);
  }
}
