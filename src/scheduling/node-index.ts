/**
 * All nodes and what is placed on them, so arranged that a placement does not look at every node. Nodes that no known
 * rule can tell apart form a class; a rule is asked once per class; inside a class nodes are in order of load. Answers
 * exactly as `schedulePod` does (node-index.test.ts compares them).
 */
import { NODE_LABEL } from "../model/well-known.ts";
import { Census } from "./census.ts";
import { ClassSearch } from "./class-search.ts";
import type { Demand } from "./demand.ts";
import { fitsRoom } from "./fit.ts";
import { LoadTree } from "./load-tree.ts";
import { anyOf, classKey, type NodeClass } from "./node-class.ts";
import type { NodeFacts } from "./node-facts.ts";
import { checkFacts, checkReady } from "./node-filters.ts";
import { NodeInfo, type PlacedPod } from "./node-info.ts";
import { checkPodRules, type FindFewest, type PodChecks, preparePodChecks } from "./pod-checks.ts";
import { costOf, fewestAmong, isBetter, type Placement } from "./schedule-pod.ts";
import { demandKey, factsCost, preferencesOf, type Strategy } from "./scores.ts";
import { peersSelection } from "./selection.ts";
import { fewestIn, type Usable, type UsableClass, valuesOf } from "./usable-nodes.ts";

interface Row {
  readonly info: NodeInfo;
  readonly nodeClass: NodeClass | undefined;
  /** In its class's tree. */
  position: number;
}

export class NodeIndex {
  readonly census = new Census();
  readonly strategy: Strategy;
  readonly #rows = new Map<string, Row>();
  readonly #classes = new Map<string, NodeClass>();
  /** Labels that some rule has looked at: only these make classes differ. */
  readonly #keys = new Set<string>([NODE_LABEL.zone]);
  readonly #usable = new WeakMap<Demand, Usable>();
  #epoch = 0;
  #sorted: readonly NodeInfo[] | undefined;

  constructor(strategy: Strategy) {
    this.strategy = strategy;
  }

  /** All nodes by name. */
  get nodes(): readonly NodeInfo[] {
    this.#sorted ??= [...this.#rows.values()].map(({ info }) => info).sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.#sorted;
  }

  node(name: string): NodeInfo | undefined {
    return this.#rows.get(name)?.info;
  }

  /** Adds a node or takes its new facts; its pods stay. */
  setNode(facts: NodeFacts): void {
    const before = this.#rows.get(facts.name);
    const placed = before ? [...before.info.pods.values()] : [];
    if (before) this.#drop(before);
    const info = new NodeInfo(facts, placed);
    this.census.addNode(facts, placed);
    this.#enter(info);
  }

  removeNode(name: string): void {
    const row = this.#rows.get(name);
    if (row) this.#drop(row);
  }

  addPod(nodeName: string, pod: PlacedPod): void {
    const row = this.#rows.get(nodeName);
    if (!row) return;
    this.removePod(nodeName, pod.key);
    if (pod.demand.keepsApart.length > 0) this.#learnKeys(pod.demand);
    const present = this.#rows.get(nodeName) ?? row;
    present.info.add(pod);
    this.census.add(present.info.facts, pod);
    this.#refresh(present);
  }

  removePod(nodeName: string, key: string): void {
    const row = this.#rows.get(nodeName);
    const pod = row?.info.remove(key);
    if (!row || !pod) return;
    this.census.remove(row.info.facts, pod);
    this.#refresh(row);
  }

  /** How many copies of a workload a node has. */
  copiesOn(peers: string, nodeName: string): number {
    return this.census.tally(peersSelection(peers)).perNode.get(nodeName) ?? 0;
  }

  /** The best node for the demand, or undefined when none will do. */
  place(asked: Demand): Placement | undefined {
    const usable = this.#usableFor(asked);
    const checks = preparePodChecks(usable.demand, this.census, this.#fewestFor(usable));
    if (usable.nodes) return this.#scan(usable.demand, usable.nodes, checks);
    const search = new ClassSearch(usable.demand, checks, this.census.nodeCount);
    for (const one of usable.classes) search.visit(one.nodeClass, one.facts, one.cost, this.#treeOf(one.nodeClass));
    return search.best;
  }

  #scan(demand: Demand, nodes: readonly NodeInfo[], checks: PodChecks): Placement | undefined {
    let best: Placement | undefined;
    for (const node of nodes) {
      if (fitsRoom(demand, node) ?? checkPodRules(checks, node.facts)) continue;
      const cost = costOf(demand, node, checks, this.strategy);
      if (isBetter(cost, node, best)) best = { node, cost };
    }
    return best;
  }

  #fewestFor(usable: Usable): FindFewest {
    const { nodes, classes, size } = usable;
    return (rule, counts) => {
      if (nodes) return fewestAmong(nodes, rule, counts);
      if (rule.topologyKey !== NODE_LABEL.hostname) return fewestIn(valuesOf(usable, rule.topologyKey), counts);
      if (size > counts.size) return { count: 0, domains: size };
      if (size === this.census.nodeCount) {
        return { count: this.census.tally(rule.selection).fewestPerNode(size), domains: size };
      }
      return fewestAmong(
        classes.flatMap(({ nodeClass }) => [...nodeClass.members.values()]),
        rule,
        counts,
      );
    };
  }

  #usableFor(asked: Demand): Usable {
    const known = this.#usable.get(asked);
    if (known && known.epoch === this.#epoch) return known;
    this.#learnKeys(asked);
    const demand = known?.demand ?? preferencesOf(asked, this.strategy);
    const perNode = [...demand.nodeRules, ...demand.nodePreferences].some((rule) => rule.perNode);
    const nodes = perNode ? this.nodes.filter((node) => !checkFacts(demand, node)) : undefined;
    const classes = perNode ? [] : [...this.#classes.values()].flatMap((one) => this.#usableClass(demand, one) ?? []);
    const size = nodes?.length ?? classes.reduce((sum, { nodeClass }) => sum + nodeClass.members.size, 0);
    const usable = { epoch: this.#epoch, demand, nodes, classes, size, values: new Map() };
    this.#usable.set(asked, usable);
    return usable;
  }

  #usableClass(demand: Demand, nodeClass: NodeClass): UsableClass | undefined {
    const node = anyOf(nodeClass);
    if (checkFacts(demand, node)) return undefined;
    const { facts } = node;
    return { nodeClass, facts, cost: factsCost(demand, facts) + demandKey(demand, facts, this.strategy) };
  }

  #enter(info: NodeInfo): void {
    this.#epoch++;
    this.#sorted = undefined;
    const nodeClass = checkReady(info.facts) ? undefined : this.#classFor(info.facts);
    this.#rows.set(info.name, { info, nodeClass, position: -1 });
    if (!nodeClass) return;
    nodeClass.members.set(info.name, info);
    nodeClass.tree = undefined;
  }

  #drop({ info, nodeClass }: Row): void {
    this.#epoch++;
    this.#sorted = undefined;
    this.#rows.delete(info.name);
    this.census.removeNode(info.facts, info.pods.values());
    if (!nodeClass) return;
    nodeClass.members.delete(info.name);
    nodeClass.tree = undefined;
    if (nodeClass.members.size === 0) this.#classes.delete(nodeClass.key);
  }

  #classFor(facts: NodeFacts): NodeClass {
    const key = classKey(facts, this.#keys);
    const known = this.#classes.get(key);
    if (known) return known;
    const made: NodeClass = { key, members: new Map(), tree: undefined };
    this.#classes.set(key, made);
    return made;
  }

  /** A label nobody has asked for before may tell nodes of one class apart: all are grouped anew. */
  #learnKeys(demand: Demand): void {
    const before = this.#keys.size;
    for (const { keys } of [...demand.nodeRules, ...demand.nodePreferences]) for (const key of keys) this.#learn(key);
    for (const { topologyKey } of [...demand.podRules, ...demand.podPreferences]) this.#learn(topologyKey);
    if (this.#keys.size === before) return;
    const all = this.nodes;
    this.#classes.clear();
    for (const info of all) this.#enter(info);
  }

  #learn(key: string): void {
    if (key !== NODE_LABEL.hostname) this.#keys.add(key);
  }

  #treeOf(nodeClass: NodeClass): LoadTree {
    if (nodeClass.tree) return nodeClass.tree;
    const members = [...nodeClass.members.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const [position, { name }] of members.entries()) {
      const row = this.#rows.get(name);
      if (row) row.position = position;
    }
    nodeClass.tree = new LoadTree(members, this.strategy);
    return nodeClass.tree;
  }

  #refresh({ nodeClass, position }: Row): void {
    nodeClass?.tree?.refresh(position);
  }
}
