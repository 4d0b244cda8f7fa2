import type { Demand } from "./demand.ts";
import type { NodeInfo } from "./node-info.ts";
import { loadKey, type Strategy } from "./scores.ts";

/**
 * The nodes of one class by name, under a tree of minimum load and maximum free amounts: the least loaded node with
 * room is found without looking at the others, and walking on gives the next in order of (load, name).
 */
export class LoadTree {
  readonly nodes: readonly NodeInfo[];
  readonly #strategy: Strategy;
  /** Leaves start here; a power of two. Node i of the tree has the children 2i and 2i+1. */
  readonly #leaves: number;
  readonly #levels: number;
  readonly #load: Float64Array;
  readonly #cpu: Float64Array;
  readonly #memory: Float64Array;
  readonly #pods: Float64Array;
  /** Of a walk: a heap of subtrees. Kept between walks to spare the allocation. */
  readonly #heap: number[] = [];

  /** `nodes` sorted by name. */
  constructor(nodes: readonly NodeInfo[], strategy: Strategy) {
    this.nodes = nodes;
    this.#strategy = strategy;
    this.#levels = Math.max(0, Math.ceil(Math.log2(nodes.length)));
    this.#leaves = 2 ** this.#levels;
    const size = 2 * this.#leaves;
    this.#load = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    this.#cpu = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
    this.#memory = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
    this.#pods = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
    for (let at = 0; at < nodes.length; at++) this.#setLeaf(at);
    for (let at = this.#leaves - 1; at > 0; at--) this.#join(at);
  }

  /** No node has less. */
  get leastKey(): number {
    return this.#load[1] as number;
  }

  /** The node at this position changed. */
  refresh(position: number): void {
    this.#setLeaf(position);
    for (let at = (this.#leaves + position) >> 1; at > 0; at >>= 1) if (!this.#join(at)) return;
  }

  /** Calls `visit` with nodes that have CPU, memory and a place for the pod, in order of (load, name), until it returns true. */
  walk(demand: Demand, visit: (node: NodeInfo, key: number) => boolean): void {
    const cpu = demand.cpuMillis || Number.NEGATIVE_INFINITY;
    const memory = demand.memoryBytes || Number.NEGATIVE_INFINITY;
    const first = this.#firstWithRoom(cpu, memory);
    // Nearly always the least loaded node has room and will do: then nothing needs to be put in order.
    if (first !== 0) {
      const node = this.nodes[first - this.#leaves];
      if (node && visit(node, this.#load[first] as number)) return;
    }
    this.#heap.length = 0;
    if (this.#hasRoom(1, cpu, memory)) this.#push(1);
    for (let at = this.#pop(); at !== 0; at = this.#pop()) {
      while (at < this.#leaves) {
        const left = 2 * at;
        const right = left + 1;
        const leftFits = this.#hasRoom(left, cpu, memory);
        const rightFits = this.#hasRoom(right, cpu, memory);
        if (leftFits && rightFits) {
          // On equal loads the left one has the first name.
          const leftFirst = (this.#load[left] as number) <= (this.#load[right] as number);
          this.#push(leftFirst ? right : left);
          at = leftFirst ? left : right;
        } else if (leftFits || rightFits) at = leftFits ? left : right;
        else {
          at = 0;
          break;
        }
        const top = this.#heap[0];
        if (top !== undefined && this.#before(top, at)) {
          this.#push(at);
          at = this.#pop();
        }
      }
      if (at === 0 || at === first) continue;
      const node = this.nodes[at - this.#leaves];
      if (node && visit(node, this.#load[at] as number)) return;
    }
  }

  /** The first node of all, or 0 when that one has no room and only a walk in order can tell. */
  #firstWithRoom(cpu: number, memory: number): number {
    let at = 1;
    const least = this.#load[1] as number;
    while (at < this.#leaves) {
      const left = 2 * at;
      at = this.#load[left] === least ? left : left + 1;
    }
    return this.#hasRoom(at, cpu, memory) ? at : 0;
  }

  #setLeaf(position: number): void {
    const node = this.nodes[position];
    if (!node) return;
    const at = this.#leaves + position;
    const { allocatable } = node.facts;
    this.#load[at] = loadKey(node, this.#strategy);
    this.#cpu[at] = allocatable.cpuMillis - node.usedCpuMillis;
    this.#memory[at] = allocatable.memoryBytes - node.usedMemoryBytes;
    this.#pods[at] = allocatable.pods - node.pods.size;
  }

  /** Recomputes an inner node; false when nothing changed. */
  #join(at: number): boolean {
    const left = 2 * at;
    const right = left + 1;
    const load = Math.min(this.#load[left] as number, this.#load[right] as number);
    const cpu = Math.max(this.#cpu[left] as number, this.#cpu[right] as number);
    const memory = Math.max(this.#memory[left] as number, this.#memory[right] as number);
    const pods = Math.max(this.#pods[left] as number, this.#pods[right] as number);
    const same =
      load === this.#load[at] && cpu === this.#cpu[at] && memory === this.#memory[at] && pods === this.#pods[at];
    if (same) return false;
    this.#load[at] = load;
    this.#cpu[at] = cpu;
    this.#memory[at] = memory;
    this.#pods[at] = pods;
    return true;
  }

  #hasRoom(at: number, cpu: number, memory: number): boolean {
    return (
      (this.#pods[at] as number) >= 1 && (this.#cpu[at] as number) >= cpu && (this.#memory[at] as number) >= memory
    );
  }

  /** By load, then by the name of the first node below: subtrees are disjoint, so their first leaves tell. */
  #before(a: number, b: number): boolean {
    const loadA = this.#load[a] as number;
    const loadB = this.#load[b] as number;
    return loadA < loadB || (loadA === loadB && this.#firstLeaf(a) < this.#firstLeaf(b));
  }

  #firstLeaf(at: number): number {
    return at << (this.#levels - (31 - Math.clz32(at)));
  }

  #push(item: number): void {
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as number;
      if (!this.#before(item, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = item;
  }

  /** 0 when empty. */
  #pop(): number {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined) return 0;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1] as number, heap[child] as number)) child++;
      if (!this.#before(heap[child] as number, last)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
