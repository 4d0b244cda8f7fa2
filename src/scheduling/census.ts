import type { Demand } from "./demand.ts";
import { type NodeFacts, topologyValue } from "./node-facts.ts";
import type { PlacedPod } from "./node-info.ts";
import type { PodRule } from "./pod-rules.ts";
import type { PodIdentity, Selection } from "./selection.ts";

/** How many pods of one selection are where. */
export interface Tally {
  readonly total: number;
  /** By node name. */
  readonly perNode: ReadonlyMap<string, number>;
  /** By value of a topology key; `kubernetes.io/hostname` is `perNode`. */
  by(topologyKey: string): ReadonlyMap<string, number>;
  /** The fewest on any of `nodeCount` nodes. */
  fewestPerNode(nodeCount: number): number;
}

/** Pods that keep others apart from themselves, counted by topology value. */
export interface Keepers {
  readonly rule: PodRule;
  readonly counts: ReadonlyMap<string, number>;
}

class Counter implements Tally {
  readonly selection: Selection;
  total = 0;
  readonly perNode = new Map<string, number>();
  readonly #byKey = new Map<string, Map<string, number>>();
  #fewest = 0;
  #nodesAtFewest = 0;
  readonly #factsOf: (name: string) => NodeFacts | undefined;

  constructor(selection: Selection, factsOf: (name: string) => NodeFacts | undefined) {
    this.selection = selection;
    this.#factsOf = factsOf;
  }

  by(topologyKey: string): ReadonlyMap<string, number> {
    const known = this.#byKey.get(topologyKey);
    if (known) return known;
    const counts = new Map<string, number>();
    for (const [name, count] of this.perNode) {
      const facts = this.#factsOf(name);
      const value = facts && topologyValue(facts, topologyKey);
      if (value !== undefined) bump(counts, value, count);
    }
    this.#byKey.set(topologyKey, counts);
    return counts;
  }

  fewestPerNode(nodeCount: number): number {
    if (this.perNode.size < nodeCount) return 0;
    if (this.#nodesAtFewest <= 0) this.#findFewest();
    return this.#fewest;
  }

  add(facts: NodeFacts, count: number): void {
    this.total += count;
    const before = this.perNode.get(facts.name) ?? 0;
    bump(this.perNode, facts.name, count);
    // Looked for again only when the last node at the minimum has risen: once per round of copies over all nodes.
    if (before === this.#fewest) this.#nodesAtFewest--;
    if (before + count <= this.#fewest || before === 0) this.#nodesAtFewest = 0;
    for (const [key, counts] of this.#byKey) {
      const value = topologyValue(facts, key);
      if (value !== undefined) bump(counts, value, count);
    }
  }

  #findFewest(): void {
    this.#nodesAtFewest = 0;
    this.#fewest = Number.POSITIVE_INFINITY;
    for (const count of this.perNode.values()) {
      if (count < this.#fewest) {
        this.#fewest = count;
        this.#nodesAtFewest = 0;
      }
      if (count === this.#fewest) this.#nodesAtFewest++;
    }
  }
}

/** All pods that are selected alike. */
interface Crowd {
  readonly identity: PodIdentity;
  readonly perNode: Map<string, number>;
  readonly counters: Counter[];
  readonly keepers: KeeperCounter[];
}

interface KeeperCounter extends Keepers {
  readonly counts: Map<string, number>;
}

/**
 * Counts placed pods by selection and topology, kept up to date pod by pod. A selection is matched once against each
 * template, not against each pod.
 */
export class Census {
  readonly #facts = new Map<string, NodeFacts>();
  readonly #crowds = new Map<string, Crowd>();
  readonly #counters = new Map<string, Counter>();
  readonly #keepers = new Map<string, KeeperCounter>();
  #sweepAt = 1000;
  #crowdLimit = 1000;
  readonly #factsOf = (name: string) => this.#facts.get(name);

  get nodeCount(): number {
    return this.#facts.size;
  }

  static of(nodes: Iterable<{ readonly facts: NodeFacts; readonly pods: ReadonlyMap<string, PlacedPod> }>): Census {
    const census = new Census();
    for (const node of nodes) census.addNode(node.facts, node.pods.values());
    return census;
  }

  addNode(facts: NodeFacts, placed: Iterable<PlacedPod>): void {
    this.#facts.set(facts.name, facts);
    for (const pod of placed) this.add(facts, pod);
  }

  removeNode(facts: NodeFacts, placed: Iterable<PlacedPod>): void {
    for (const pod of placed) this.remove(facts, pod);
    this.#facts.delete(facts.name);
  }

  add(facts: NodeFacts, pod: PlacedPod): void {
    this.#count(facts, pod, 1);
  }

  remove(facts: NodeFacts, pod: PlacedPod): void {
    this.#count(facts, pod, -1);
  }

  tally(selection: Selection): Tally {
    const known = this.#counters.get(selection.key);
    if (known) return known;
    this.#sweep();
    const counter = new Counter(selection, this.#factsOf);
    for (const crowd of this.#crowds.values()) {
      if (!selection.selects(crowd.identity)) continue;
      crowd.counters.push(counter);
      for (const [name, count] of crowd.perNode) {
        const facts = this.#facts.get(name);
        if (facts) counter.add(facts, count);
      }
    }
    this.#counters.set(selection.key, counter);
    return counter;
  }

  /** Placed pods whose own rules keep this one away from them. */
  keepersAgainst(identity: PodIdentity): readonly Keepers[] {
    return this.#keepers.size === 0 ? NOBODY : this.#crowd(identity).keepers;
  }

  #count(facts: NodeFacts, { identity, demand }: PlacedPod, sign: 1 | -1): void {
    const crowd = this.#crowd(identity);
    bump(crowd.perNode, facts.name, sign);
    for (const counter of crowd.counters) counter.add(facts, sign);
    if (demand.keepsApart.length > 0) this.#countKeeper(facts, demand, sign);
  }

  #countKeeper(facts: NodeFacts, demand: Demand, sign: 1 | -1): void {
    for (const rule of demand.keepsApart) {
      const value = topologyValue(facts, rule.topologyKey);
      if (value !== undefined) bump(this.#keeper(rule).counts, value, sign);
    }
  }

  #keeper(rule: PodRule): KeeperCounter {
    const key = `${rule.topologyKey}\n${rule.selection.key}`;
    const known = this.#keepers.get(key);
    if (known) return known;
    const keeper = { rule, counts: new Map<string, number>() };
    this.#keepers.set(key, keeper);
    for (const crowd of this.#crowds.values()) {
      if (rule.selection.selects(crowd.identity)) crowd.keepers.push(keeper);
    }
    return keeper;
  }

  #crowd(identity: PodIdentity): Crowd {
    const known = this.#crowds.get(identity.key);
    if (known) return known;
    const crowd: Crowd = {
      identity,
      perNode: new Map(),
      counters: [...this.#counters.values()].filter(({ selection }) => selection.selects(identity)),
      keepers: [...this.#keepers.values()].filter(({ rule }) => rule.selection.selects(identity)),
    };
    this.#forgetCrowds();
    this.#crowds.set(identity.key, crowd);
    return crowd;
  }

  /** Templates that have no pod any more; they are looked at anew if one comes back. */
  #forgetCrowds(): void {
    if (this.#crowds.size < this.#crowdLimit) return;
    for (const [key, { perNode }] of this.#crowds) if (perNode.size === 0) this.#crowds.delete(key);
    this.#crowdLimit = 1000 + 2 * this.#crowds.size;
  }

  /** Workloads come and go: what only the gone ones asked for is counted anew when somebody asks again. */
  #sweep(): void {
    if (this.#counters.size < this.#sweepAt) return;
    this.#counters.clear();
    for (const [key, crowd] of this.#crowds) {
      if (crowd.perNode.size === 0) this.#crowds.delete(key);
      crowd.counters.length = 0;
    }
    for (const [key, { counts }] of this.#keepers) if (counts.size === 0) this.#dropKeeper(key);
    this.#sweepAt = 1000 + 8 * this.#crowds.size;
  }

  #dropKeeper(key: string): void {
    const keeper = this.#keepers.get(key);
    this.#keepers.delete(key);
    for (const { keepers } of this.#crowds.values()) {
      const at = keeper ? keepers.indexOf(keeper) : -1;
      if (at >= 0) keepers.splice(at, 1);
    }
  }
}

const NOBODY: readonly Keepers[] = [];

function bump(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
