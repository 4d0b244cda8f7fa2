import { keyOf } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { isTerminal, type Pod, pods } from "../model/pod.ts";
import type { Log } from "../seams/log.ts";
import { type Reader, sameJson, type Tx } from "../store/transaction.ts";
import type { Demand } from "./demand.ts";
import { Demands } from "./demands.ts";
import { type NodeFacts, nodeFacts } from "./node-facts.ts";
import { NodeIndex } from "./node-index.ts";
import type { PlacedPod } from "./node-info.ts";
import type { Strategy } from "./scores.ts";

/** What a change means for pods that wait: more room or other nodes, a pod more among the placed ones, or nothing. */
export type Effect = "more room" | "placed" | "none";

interface Held {
  readonly pod: Pod;
  readonly nodeName: string;
  readonly placed: PlacedPod;
}

/**
 * Keeps a NodeIndex equal to what the store says. Outside transactions it follows what is committed; inside one,
 * `catchUp` adds what earlier transactions have changed and the disk does not have yet, so that a placement made there
 * is made against exactly what the transaction sees.
 */
export class StoreMirror {
  readonly index: NodeIndex;
  readonly #demands = new Demands();
  readonly #reader: Reader;
  readonly #log: Log;
  readonly #held = new Map<string, Held>();
  readonly #heldByNode = new Map<string, Set<string>>();
  readonly #facts = new Map<string, NodeFacts>();
  /** Keys taken from transactions that are not committed: they may yet be lost. */
  readonly #unsurePods = new Set<string>();
  readonly #unsureNodes = new Set<string>();

  constructor(reader: Reader, strategy: Strategy, log: Log) {
    this.#reader = reader;
    this.#log = log;
    this.index = new NodeIndex(strategy);
  }

  /** Undefined when the pod's rules cannot be read, which must not stop the others. */
  readableDemandOf(pod: Pod): Demand | undefined {
    try {
      return this.#demands.of(pod);
    } catch (error) {
      this.#log.error("a pod's placement rules cannot be read", { pod: keyOf(pod), error: (error as Error).message });
      return undefined;
    }
  }

  /** Takes a pod as it is committed. */
  followPod(key: string): Effect {
    const pod = this.#reader.get(pods, key);
    if (!this.#unsurePods.has(key)) return this.applyPod(key, pod);
    return this.#isHeldAs(key, pod) ? "none" : "more room";
  }

  /**
   * Of a node that was taken from a transaction something newer may be on its way, so nothing is taken back. But where
   * it is not what was taken, it may also be newer itself: then the next `catchUp` is to look, and somebody to ask for it.
   */
  followNode(name: string): Effect {
    const node = this.#reader.get(nodes, name);
    if (!this.#unsureNodes.has(name)) return this.#applyNode(name, node, this.#reader);
    return sameJson(this.#facts.get(name), this.#readableFactsOf(node)) ? "none" : "more room";
  }

  /** A node that cannot be read takes no pods, and must not stop the others. */
  #readableFactsOf(node: Node | undefined): NodeFacts | undefined {
    try {
      return node && nodeFacts(node);
    } catch (error) {
      this.#log.error("a node cannot be read", { node: node?.metadata.name, error: (error as Error).message });
      return undefined;
    }
  }

  /**
   * Makes the index agree with what this transaction sees. What that means for pods that wait is the answer: when these
   * changes are committed they are no news any more.
   */
  catchUp(tx: Tx): Effect {
    let effect: Effect = "none";
    const note = (one: Effect) => {
      effect = stronger(effect, one);
    };
    for (const name of this.#unsureNodes) note(this.#applyNode(name, tx.get(nodes, name), tx));
    this.#unsureNodes.clear();
    for (const [name, node] of tx.uncommitted(nodes)) {
      this.#unsureNodes.add(name);
      note(this.#applyNode(name, node, tx));
    }
    for (const key of this.#unsurePods) note(this.applyPod(key, tx.get(pods, key)));
    this.#unsurePods.clear();
    for (const [key, pod] of tx.uncommitted(pods)) {
      this.#unsurePods.add(key);
      note(this.applyPod(key, pod));
    }
    return effect;
  }

  /** Goes back to what is committed, after a transaction was lost. */
  forget(keys: Iterable<string>): void {
    for (const key of keys) this.applyPod(key, this.#reader.get(pods, key));
  }

  applyPod(key: string, pod: Pod | undefined): Effect {
    const before = this.#held.get(key);
    if (before && before.pod === pod) return "none";
    const nodeName = pod && !isTerminal(pod) ? pod.spec.nodeName : undefined;
    const demand = pod && nodeName !== undefined ? this.readableDemandOf(pod) : undefined;
    if (!pod || nodeName === undefined || !demand) {
      if (!before) return "none";
      this.#release(key, before);
      return "more room";
    }
    if (before && before.nodeName === nodeName && before.placed.demand === demand) {
      this.#held.set(key, { ...before, pod });
      return "none";
    }
    if (before) this.#release(key, before);
    this.#hold(key, pod, nodeName, demand);
    return before ? "more room" : "placed";
  }

  #isHeldAs(key: string, pod: Pod | undefined): boolean {
    const nodeName = pod && !isTerminal(pod) ? pod.spec.nodeName : undefined;
    const held = this.#held.get(key);
    if (!pod || nodeName === undefined) return held === undefined;
    return held?.nodeName === nodeName && held.placed.demand === this.readableDemandOf(pod);
  }

  #hold(key: string, pod: Pod, nodeName: string, demand: Demand): void {
    const placed = { key, identity: demand.identity, demand };
    this.#held.set(key, { pod, nodeName, placed });
    const keys = this.#heldByNode.get(nodeName);
    if (keys) keys.add(key);
    else this.#heldByNode.set(nodeName, new Set([key]));
    this.index.addPod(nodeName, placed);
  }

  #release(key: string, { nodeName }: Held): void {
    this.#held.delete(key);
    const keys = this.#heldByNode.get(nodeName);
    keys?.delete(key);
    if (keys?.size === 0) this.#heldByNode.delete(nodeName);
    this.index.removePod(nodeName, key);
  }

  #applyNode(name: string, node: Node | undefined, reader: Reader): Effect {
    const before = this.#facts.get(name);
    const facts = this.#readableFactsOf(node);
    if (!facts) {
      if (!before) return "none";
      this.#facts.delete(name);
      this.index.removeNode(name);
      return "more room";
    }
    // Most changes of a node are of its status, and say nothing new of what it can take.
    if (before && sameJson(before, facts)) return "none";
    this.#facts.set(name, facts);
    this.index.setNode(facts);
    if (!before) this.#findPodsOf(name, reader);
    return "more room";
  }

  /** Pods may have been bound to a node before it was there. */
  #findPodsOf(name: string, reader: Reader): void {
    for (const key of this.#heldByNode.get(name) ?? []) {
      const held = this.#held.get(key);
      if (held) this.index.addPod(name, held.placed);
    }
    for (const pod of reader.by(pods, "node", name)) {
      const key = keyOf(pod);
      if (!this.#unsurePods.has(key)) this.applyPod(key, pod);
    }
  }
}

const STRENGTH: readonly Effect[] = ["none", "placed", "more room"];

function stronger(a: Effect, b: Effect): Effect {
  return STRENGTH.indexOf(b) > STRENGTH.indexOf(a) ? b : a;
}
