/** The cluster as it would be after the moves planned so far. Every move is asked of the scheduler's own rating. */
import { keyOf } from "../../model/meta.ts";
import type { Node } from "../../model/node.ts";
import { isTerminal, type Pod } from "../../model/pod.ts";
import { compileTemplate, type Demand } from "../demand.ts";
import { Demands } from "../demands.ts";
import { nodeFacts } from "../node-facts.ts";
import { checkOpen } from "../node-filters.ts";
import { NodeIndex } from "../node-index.ts";
import { loadOfDemand, type NodeInfo, type PlacedPod } from "../node-info.ts";
import { prepareScan } from "../schedule-pod.ts";
import { factsCost, podCost, preferencesOf, type Strategy } from "../scores.ts";
import type { Selection } from "../selection.ts";

export interface Piece {
  readonly pod: Pod;
  readonly key: string;
  placed: PlacedPod;
  nodeName: string;
}

export interface Option {
  readonly to: string;
  /** In millionths of a full node. */
  readonly gain: number;
}

export class Board {
  readonly index: NodeIndex;
  readonly pieces = new Map<string, Piece>();
  /** What some pod has to be together with: such a pod stays. */
  readonly #anchors = new Map<string, Selection>();
  readonly #fresh = new Map<Demand, Demand>();
  readonly #demands = new Demands();
  readonly #strategy: Strategy;

  constructor(strategy: Strategy) {
    this.#strategy = strategy;
    this.index = new NodeIndex(strategy);
  }

  setNode(node: Node): void {
    this.index.setNode(nodeFacts(node));
  }

  put(pod: Pod): void {
    if (isTerminal(pod) || pod.spec.nodeName === undefined) return;
    const demand = this.#demands.of(pod);
    const key = keyOf(pod);
    const placed = { key, identity: demand.identity, demand };
    const piece = { pod, key, placed, nodeName: pod.spec.nodeName };
    this.pieces.set(key, piece);
    this.index.addPod(piece.nodeName, placed);
    for (const { type, selection } of demand.podRules) {
      if (type === "together" || type === "sameValue") this.#anchors.set(selection.key, selection);
    }
  }

  /** Nodes that answer and take pods, by name. */
  get openNodes(): readonly NodeInfo[] {
    return this.index.nodes.filter(({ facts }) => checkOpen(facts) === undefined);
  }

  isAnchor({ placed }: Piece): boolean {
    return [...this.#anchors.values()].some((selection) => selection.selects(placed.identity));
  }

  /**
   * Where the scheduler would put a successor while the old copy is still there, and what the cluster gains once that has
   * gone. Undefined: nowhere, or where it is.
   */
  option(piece: Piece): Option | undefined {
    const from = this.index.node(piece.nodeName);
    const demand = preferencesOf(this.#freshDemand(piece), this.#strategy);
    const found = this.index.place(this.#freshDemand(piece))?.node.name;
    if (!from || found === undefined || found === piece.nodeName) return undefined;
    this.index.removePod(piece.nodeName, piece.key);
    try {
      const checks = prepareScan(demand, this.index.nodes, this.index.census);
      const costAt = (node: NodeInfo) =>
        factsCost(demand, node.facts) + podCost(checks.soft, node.facts) + this.#loadWith(node, demand);
      const there = this.index.node(found);
      const here = this.index.node(piece.nodeName);
      return there && here && { to: found, gain: costAt(here) - costAt(there) };
    } finally {
      this.index.addPod(piece.nodeName, piece.placed);
    }
  }

  move(piece: Piece, to: string): void {
    this.index.removePod(piece.nodeName, piece.key);
    piece.nodeName = to;
    piece.placed = { ...piece.placed, demand: this.#freshDemand(piece) };
    this.index.addPod(to, piece.placed);
  }

  /** Filling nodes up is what `binpack` is for: only broken preferences count there. */
  #loadWith(node: NodeInfo, demand: Demand): number {
    return this.#strategy === "binpack" ? 0 : node.load + loadOfDemand(node.facts, demand);
  }

  /** Without the host ports that were picked for the old copy. */
  #freshDemand({ pod, placed: { demand } }: Piece): Demand {
    const picks = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].some(({ ports = [] }) =>
      ports.some(({ dynamicHostPort }) => dynamicHostPort),
    );
    if (!picks) return demand;
    const fresh = this.#fresh.get(demand) ?? compileTemplate(pod);
    this.#fresh.set(demand, fresh);
    return fresh;
  }
}
