/** Keeps a node's taint for "cordoned" in step with its `unschedulable`, as Kubernetes does: clients look for either. The scheduler goes by the field. */
import { CORDON_TAINT, isCordonTaint, type Node, nodes } from "../model/node.ts";
import { rfc3339 } from "../seams/clock.ts";
import { type Controller, wakes } from "./controller.ts";

export const cordonTaint: Controller = {
  name: "cordon-taint",
  wakers: [wakes(nodes, (node) => (isInStep(node) ? [] : [node.metadata.name]))],
  reconcile(name, tx) {
    const node = tx.get(nodes, name);
    if (!node || isInStep(node)) return undefined;
    const others = (node.spec.taints ?? []).filter((taint) => !isCordonTaint(taint));
    const added = node.spec.unschedulable === true ? [{ ...CORDON_TAINT, timeAdded: rfc3339(tx.nowMs) }] : [];
    tx.update(nodes, { ...node, spec: { ...node.spec, taints: [...others, ...added] } });
    return undefined;
  },
};

function isInStep({ spec }: Node): boolean {
  return (spec.taints ?? []).some(isCordonTaint) === (spec.unschedulable === true);
}
