import { type BackoffRules, backoffMs } from "../lib/backoff.ts";
import { Heap } from "../lib/heap.ts";
import { keyOf } from "../model/meta.ts";
import { isTerminal, type Pod } from "../model/pod.ts";
import type { Demand } from "./demand.ts";

/** One pod that waits for a place. */
export interface Waiting {
  readonly key: string;
  readonly uid: string;
  readonly priority: number;
  readonly created: string;
  /** The template it was refused for, while it is put aside. */
  aside: Group | undefined;
  /** What its last refusal was about, without the numbers. */
  refusedFor: string | undefined;
  isQueued: boolean;
  /** The group whose order has it. */
  orderedIn: Group | undefined;
}

/** Pods of one template are refused alike, so one of them tries for all. */
interface Group {
  readonly demand: Demand;
  readonly members: Set<Waiting>;
  /** The members in order, and some that have left. */
  readonly order: Heap<Waiting>;
  failures: number;
  notBeforeMs: number;
  /** Something has changed since the last try. */
  isWoken: boolean;
}

const EXACT_TEMPLATES = 100;
const RETRY: BackoffRules = { initialMs: 50, factor: 2, maxMs: 10_000 };

/** Pods without a node: a queue by priority, age and key, and those put aside until something changes. */
export class PendingPods {
  readonly #waiting = new Map<string, Waiting>();
  readonly #queue = new Heap<Waiting>(isBefore);
  readonly #groups = new Map<Demand, Group>();
  readonly #nobody: ReadonlySet<Waiting> = new Set();

  get size(): number {
    return this.#waiting.size;
  }

  has(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** A pod is new or has changed. One that was put aside for the same demand stays aside. */
  offer(pod: Pod, demandOf: (pod: Pod) => Demand | undefined): void {
    const key = keyOf(pod);
    const known = this.#waiting.get(key);
    const priority = pod.spec.priority ?? 0;
    if (known && known.uid === pod.metadata.uid && known.priority === priority) {
      if (known.aside?.demand !== demandOf(pod)) this.retry(known);
      return;
    }
    this.drop(key);
    const { uid, creationTimestamp: created } = pod.metadata;
    const waiting: Waiting = {
      key,
      uid,
      priority,
      created,
      aside: undefined,
      refusedFor: undefined,
      isQueued: false,
      orderedIn: undefined,
    };
    this.#waiting.set(key, waiting);
    this.retry(waiting);
  }

  drop(key: string): void {
    const waiting = this.#waiting.get(key);
    if (!waiting) return;
    this.#waiting.delete(key);
    this.#leave(waiting);
  }

  /** Back into the queue after a try that was lost, unless somebody else took its place since. */
  putBack(waiting: Waiting): void {
    const present = this.#waiting.get(waiting.key);
    if (present && present !== waiting) return;
    this.#waiting.set(waiting.key, waiting);
    this.retry(waiting);
  }

  /** The next to try. It is still waiting until it is dropped. */
  next(): Waiting | undefined {
    for (let waiting = this.#queue.pop(); waiting; waiting = this.#queue.pop()) {
      waiting.isQueued = false;
      if (this.#waiting.get(waiting.key) === waiting) return waiting;
    }
    return undefined;
  }

  get hasNext(): boolean {
    return this.#queue.size > 0;
  }

  retry(waiting: Waiting): void {
    this.#leave(waiting);
    if (waiting.isQueued) return;
    waiting.isQueued = true;
    this.#queue.push(waiting);
  }

  /** Refused: not tried again before something changes and the backoff of its template is over. */
  putAside(waiting: Waiting, demand: Demand, nowMs: number): void {
    const known = this.#groups.get(demand);
    const group = known ?? newGroup(demand);
    if (!known) this.#groups.set(demand, group);
    if (waiting.aside !== group) this.#leave(waiting);
    group.members.add(waiting);
    if (waiting.orderedIn !== group) group.order.push(waiting);
    waiting.orderedIn = group;
    waiting.aside = group;
    // Members refused in the same round are one failure.
    if (nowMs < group.notBeforeMs) return;
    group.failures++;
    group.notBeforeMs = nowMs + backoffMs(RETRY, group.failures);
  }

  /** All that are put aside for this demand. */
  asideFor(demand: Demand): ReadonlySet<Waiting> {
    return this.#groups.get(demand)?.members ?? this.#nobody;
  }

  /** A pod of this template was placed: the next of it has a chance. */
  placed(demand: Demand): void {
    const group = this.#groups.get(demand);
    if (!group) return;
    group.failures = 0;
    group.notBeforeMs = 0;
    this.#queueFirst(group);
  }

  /**
   * Something has changed that may help: everything, or only rules about placed pods. Where few templates wait, all of
   * them look again also when a pod was placed: it helps nobody, but the room that their messages speak of is another.
   */
  wake(whom: "all" | "with pod rules"): void {
    const everybody = whom === "all" || this.#groups.size <= EXACT_TEMPLATES;
    for (const group of this.#groups.values()) {
      if (everybody || group.demand.podRules.length > 0) group.isWoken = true;
    }
  }

  /** Queues one pod of each template whose time has come; gives the time of the next one, if there is any. */
  queueDue(nowMs: number): number | undefined {
    let nextMs: number | undefined;
    for (const group of this.#groups.values()) {
      if (!group.isWoken) continue;
      if (group.notBeforeMs > nowMs) {
        nextMs = Math.min(nextMs ?? group.notBeforeMs, group.notBeforeMs);
        continue;
      }
      group.isWoken = false;
      this.#queueFirst(group);
    }
    return nextMs;
  }

  #queueFirst({ order, members }: Group): void {
    for (let first = order.pop(); first; first = order.pop()) {
      first.orderedIn = undefined;
      if (!members.has(first) || first.isQueued) continue;
      first.isQueued = true;
      this.#queue.push(first);
      return;
    }
  }

  #leave(waiting: Waiting): void {
    const group = waiting.aside;
    if (!group) return;
    waiting.aside = undefined;
    group.members.delete(waiting);
    if (group.members.size === 0 && this.#groups.get(group.demand) === group) this.#groups.delete(group.demand);
  }
}

function newGroup(demand: Demand): Group {
  return { demand, members: new Set(), order: new Heap(isBefore), failures: 0, notBeforeMs: 0, isWoken: false };
}

/** Neither bound, nor over, nor asked to go. */
export function isPending(pod: Pod): boolean {
  return pod.spec.nodeName === undefined && pod.metadata.deletionTimestamp === undefined && !isTerminal(pod);
}

function isBefore(a: Waiting, b: Waiting): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.created !== b.created) return a.created < b.created;
  return a.key < b.key;
}
