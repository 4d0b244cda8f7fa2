import type { Draft } from "../../model/meta.ts";
import { keyOf } from "../../model/meta.ts";
import type { Node } from "../../model/node.ts";
import type { Pod } from "../../model/pod.ts";
import { compileDemand } from "../demand.ts";
import { fitsRoom } from "../fit.ts";
import { nodeFacts } from "../node-facts.ts";
import { NodeInfo } from "../node-info.ts";
import type { FilterName } from "../refusal.ts";

/** Kubelet's reasons for pods it does not let in. */
const REASON: Readonly<Partial<Record<FilterName, string>>> = {
  cpu: "OutOfcpu",
  memory: "OutOfmemory",
  disk: "OutOfephemeral-storage",
  pods: "OutOfpods",
  port: "NodePorts",
  "dynamic ports": "NodePorts",
};

/** The last check before a pod starts: the scheduler decided on what it knew then, this node knows what is here now. */
export class AdmissionDesk {
  #node: NodeInfo | undefined;
  readonly #held = new Map<string, Pod>();

  /** The node as registered last. */
  setNode(node: Draft<Node>): void {
    const facts = nodeFacts({ ...node, metadata: { name: node.metadata.name, labels: node.metadata.labels ?? {} } });
    this.#node = this.#node ? this.#node.clone(facts) : new NodeInfo(facts);
    for (const pod of this.#held.values()) this.#add(pod);
  }

  /** Why the pod cannot be here; undefined when it fits, and then it holds its room. */
  admit(pod: Pod): { readonly reason: string; readonly message: string } | undefined {
    if (this.#held.has(pod.metadata.uid) || this.#node === undefined) {
      this.hold(pod);
      return undefined;
    }
    // What a node offers beside CPU, memory and disk is written into its object by others: the scheduler has looked, the agent does not know.
    const refusal = fitsRoom({ ...compileDemand(pod), extended: [] }, this.#node);
    if (refusal === undefined) {
      this.hold(pod);
      return undefined;
    }
    const reason = REASON[refusal.filter] ?? "UnexpectedAdmissionError";
    return { reason, message: `Pod was rejected by its node: ${refusal.message}` };
  }

  /** The pod is here, whether it fits or not. */
  hold(pod: Pod): void {
    if (this.#held.has(pod.metadata.uid)) return;
    this.#held.set(pod.metadata.uid, pod);
    this.#add(pod);
  }

  free(podUid: string): void {
    const pod = this.#held.get(podUid);
    if (pod === undefined) return;
    this.#held.delete(podUid);
    this.#node?.remove(nameIn(pod));
  }

  #add(pod: Pod): void {
    const demand = compileDemand(pod);
    this.#node?.add({ key: nameIn(pod), identity: demand.identity, demand });
  }
}

/** A pod and its successor of the same name may be here at once. */
function nameIn(pod: Pod): string {
  return `${keyOf(pod)} (${pod.metadata.uid})`;
}
