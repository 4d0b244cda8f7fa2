import { ApiError } from "../model/errors.ts";
import { type Node, nodes } from "../model/node.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Store } from "../store/store.ts";

/** Takes a node out of placement, or back in; what runs there goes on running. Already so is success. */
export async function setCordoned(store: Store, name: string, cordoned: boolean, by: string): Promise<void> {
  await store.update((tx) => {
    const node = tx.get(nodes, name);
    if (!node) throw new ApiError("NotFound", `there is no node "${name}"`, { kind: "Node", name });
    if ((node.spec.unschedulable ?? false) === cordoned) return;
    const { unschedulable: _before, ...spec } = node.spec;
    tx.update<Node>(nodes, { ...node, spec: cordoned ? { ...spec, unschedulable: true } : spec });
    recordEvent(tx, node, {
      type: "Normal",
      reason: cordoned ? "NodeNotSchedulable" : "NodeSchedulable",
      message: cordoned ? `${by} cordoned it: it takes no new pods` : `${by} uncordoned it: it takes pods again`,
      component: "api",
    });
  });
}
