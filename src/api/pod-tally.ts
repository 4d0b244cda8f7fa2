import { disruptionOf } from "../model/disruption.ts";
import { keyOf } from "../model/meta.ts";
import { isOnLostNode } from "../model/node-state.ts";
import { isTerminal, type Pod, pods } from "../model/pod.ts";
import { Demands } from "../scheduling/demands.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Store } from "../store/store.ts";
import type { Change } from "../store/transaction.ts";
import { slices } from "./slices.ts";

/** What the pods of one node ask for. */
export interface Asked {
  readonly pods: number;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * How many pods there are in each phase, and what they ask for on each node: counted once, in slices, and then kept by
 * what changes, so that half a million pods are not looked at for every question. Counts when it is first asked; moves
 * are counted from the beginning.
 */
export class PodTally {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #demands = new Demands();
  /** What is counted, by key. */
  readonly #counted = new Map<string, Pod>();
  readonly #phases = new Map<string, number>();
  readonly #nodes = new Map<string, Asked>();
  readonly #moves = new Map<string, number>();
  #lost = 0;
  #following: Promise<void> | undefined;
  /** Every change up to this revision is counted. */
  #revision = -1;
  #news = Promise.withResolvers<void>();

  constructor({ store, clock, log }: Parts) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#countMoves(store.revision).catch((error: Error) =>
      log.debug("moves are not counted", { error: error.message }),
    );
  }

  /** Resolves when all is counted that is stored now. */
  async upToDate(): Promise<void> {
    const { revision } = this.#store;
    while (this.#revision < revision) {
      this.#following ??= this.#follow().catch((error: Error) => {
        // Too old after a pause, or the store has closed: counted anew when there is something newer to be asked for.
        this.#log.debug("pods are not followed any more", { error: error.message });
        this.#following = undefined;
      });
      await Promise.race([this.#news.promise, this.#following]);
    }
  }

  get phases(): ReadonlyMap<string, number> {
    return this.#phases;
  }

  /** Pods on unreachable nodes. */
  get lost(): number {
    return this.#lost;
  }

  /** Pods that were to be replaced elsewhere, by reason. */
  get moves(): ReadonlyMap<string, number> {
    return this.#moves;
  }

  /** Ended pods ask for nothing. */
  onNode(name: string): Asked {
    return this.#nodes.get(name) ?? NOTHING;
  }

  async #follow(): Promise<void> {
    const since = this.#store.revision;
    await this.#count();
    this.#heard(since);
    // Of all kinds, because only then the last revision seen says how far this has come.
    for await (const changes of this.#store.watch({ since })) {
      for (const change of changes) if (change.kind.name === pods.name) this.#take(change);
      this.#heard(changes.at(-1)?.revision ?? since);
    }
  }

  /** What changes meanwhile is heard of afterwards, and set again. */
  async #count(): Promise<void> {
    const slice = slices(this.#clock);
    this.#counted.clear();
    this.#phases.clear();
    this.#nodes.clear();
    this.#lost = 0;
    for (const pod of this.#store.scan(pods)) {
      this.#set(keyOf(pod), pod);
      await slice();
    }
  }

  #heard(revision: number): void {
    this.#revision = revision;
    const { resolve } = this.#news;
    this.#news = Promise.withResolvers<void>();
    resolve();
  }

  #take({ type, key, object }: Change): void {
    this.#set(key, type === "removed" ? undefined : (object as Pod));
  }

  #set(key: string, pod: Pod | undefined): void {
    const before = this.#counted.get(key);
    if (before) this.#add(before, -1);
    if (pod) {
      this.#counted.set(key, pod);
      this.#add(pod, 1);
    } else this.#counted.delete(key);
  }

  #add(pod: Pod, by: 1 | -1): void {
    const { phase } = pod.status;
    const { nodeName } = pod.spec;
    this.#phases.set(phase, (this.#phases.get(phase) ?? 0) + by);
    if (isOnLostNode(pod)) this.#lost += by;
    if (nodeName === undefined || isTerminal(pod)) return;
    // As the scheduler counts it, so that a refusal and a node's row never disagree.
    const { cpuMillis, memoryBytes } = this.#demandOf(pod);
    const there = this.onNode(nodeName);
    if (there.pods + by === 0) this.#nodes.delete(nodeName);
    else
      this.#nodes.set(nodeName, {
        pods: there.pods + by,
        cpuMillis: there.cpuMillis + by * cpuMillis,
        memoryBytes: there.memoryBytes + by * memoryBytes,
      });
  }

  /** A pod whose rules cannot be read is placed by nobody, and must not stop the others from being counted. */
  #demandOf(pod: Pod): Pick<Asked, "cpuMillis" | "memoryBytes"> {
    try {
      return this.#demands.of(pod);
    } catch (error) {
      this.#log.debug("what a pod asks for cannot be read", { pod: keyOf(pod), error: (error as Error).message });
      return NOTHING;
    }
  }

  async #countMoves(from: number): Promise<void> {
    let since = from;
    for (;;) {
      try {
        for await (const changes of this.#store.watch({ kinds: [pods], since }))
          for (const change of changes) this.#countMove(change);
      } catch (error) {
        if ((error as { reason?: unknown }).reason !== "Expired") throw error;
        // What happened in between is lost to this counter; it goes on from here.
        since = this.#store.revision;
      }
    }
  }

  #countMove({ type, object, before }: Change): void {
    if (type === "removed") return;
    const reason = movedFor(object as Pod);
    if (reason === undefined || (before && movedFor(before as Pod) === reason)) return;
    this.#moves.set(reason, (this.#moves.get(reason) ?? 0) + 1);
  }
}

function movedFor(pod: Pod): string | undefined {
  return disruptionOf(pod)?.reason;
}

const NOTHING: Asked = { pods: 0, cpuMillis: 0, memoryBytes: 0 };
