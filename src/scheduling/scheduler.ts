/**
 * The stage between controllers and agents: gives every pod without a node one, or says in words why it cannot. It
 * watches the store and writes the store.
 *
 * Pods are placed inside a transaction, against an index that has caught up with what the transaction sees. So nothing
 * can come between choosing a node and binding to it: hard rules hold and no node is oversold at the moment of binding.
 */
import { keyOf } from "../model/meta.ts";
import { nodes } from "../model/node.ts";
import { type Pod, pods } from "../model/pod.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Store } from "../store/store.ts";
import type { Change } from "../store/transaction.ts";
import { BindingRound } from "./binding-round.ts";
import { type Explanation, explainPod } from "./explain.ts";
import { isPending, PendingPods } from "./pending-pods.ts";
import type { Strategy } from "./scores.ts";
import { type Effect, StoreMirror } from "./store-mirror.ts";
import { type SuccessorPlace, successorPlace } from "./successor-place.ts";

export interface SchedulerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly strategy?: Strategy;
}

/** The event loop is given back after so long. */
const SLICE_MS = 10;
/** After the store refused or something broke. */
const PAUSE_MS = 1000;
/** Rounds on their way to the disk at once: the next is placed on what they bound, and written with it. */
const MOST_UNDER_WAY = 8;
const NOWHERE = -1;
const COMPONENT = "scheduler";

export class Scheduler {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #strategy: Strategy;
  #mirror: StoreMirror;
  #pending = new PendingPods();
  #stopping = new AbortController();
  #running: Promise<unknown> | undefined;
  #timer: Timer | undefined;
  #ring: (() => void) | undefined;
  /** The mirror holds every change up to this revision. Behind what is committed, nothing is placed. */
  #followed = NOWHERE;
  readonly #attempts = { bound: 0, refused: 0, undone: 0 };
  readonly #underWay = new Set<Promise<void>>();
  /** A round was lost: nothing is placed before all that were built on it are undone, too. */
  #hasLost = false;

  constructor({ store, clock, random, log, strategy = "spread" }: SchedulerOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random.fork("scheduler");
    this.#log = log.with({ component: COMPONENT });
    this.#strategy = strategy;
    this.#mirror = new StoreMirror(store, strategy, this.#log);
  }

  /** How many pods have no node at present. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Since the start: how many tries to place a pod ended how. `undone`: the store did not take them. */
  get attempts(): { readonly bound: number; readonly refused: number; readonly undone: number } {
    return this.#attempts;
  }

  /** Where the successor of a pod that is to be moved would go, by what is committed. */
  successorOf(pod: Pod, stopsFirst: boolean): SuccessorPlace {
    if (this.#followed === NOWHERE) return { kind: "unknown" };
    return successorPlace(this.#mirror.index, pod, stopsFirst);
  }

  /** Why a pod is, or is not, where it is, by what is committed; undefined while the index is not complete. */
  explain(pod: Pod): Explanation | undefined {
    if (this.#followed === NOWHERE) return undefined;
    const { nodes: all, census, strategy } = this.#mirror.index;
    return explainPod(pod, all, { strategy }, census);
  }

  start(): void {
    if (this.#running) return;
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.#running = Promise.all([this.#follow(signal), this.#place(signal)]);
  }

  /** Resolves when nothing of it runs any more; what it has bound stays bound. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    this.#wakeUp();
    await this.#running;
    this.#running = undefined;
  }

  /** Follows the store; when it has fallen too far behind, starts anew. */
  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const since = this.#store.revision;
        await this.#load(signal);
        this.#caughtUp(since);
        // Of all kinds, because only then the last revision seen says how far the mirror has come.
        for await (const changes of this.#store.watch({ since, signal })) {
          await this.#take(changes, signal);
          this.#caughtUp(changes.at(-1)?.revision ?? since);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#log.warn("lost the watch, reading everything again", { error: (error as Error).message });
        await this.#pause(PAUSE_MS, signal);
      }
    }
  }

  async #load(signal: AbortSignal): Promise<void> {
    this.#followed = NOWHERE;
    this.#mirror = new StoreMirror(this.#store, this.#strategy, this.#log);
    this.#pending = new PendingPods();
    const slice = this.#slices(signal);
    for (const node of this.#store.list(nodes)) {
      this.#mirror.followNode(node.metadata.name);
      await slice();
    }
    for (const pod of this.#store.by(pods, "node", "")) {
      this.#offer(keyOf(pod));
      await slice();
    }
  }

  #caughtUp(revision: number): void {
    this.#followed = revision;
    this.#wakeUp();
  }

  async #take(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    const slice = this.#slices(signal);
    for (const { kind, key } of changes) {
      if (kind.name !== pods.name && kind.name !== nodes.name) continue;
      const effect = kind.name === nodes.name ? this.#mirror.followNode(key) : this.#takePod(key);
      if (effect !== "none") this.#pending.wake(effect === "more room" ? "all" : "with pod rules");
      await slice();
    }
  }

  #takePod(key: string): Effect {
    this.#offer(key);
    return this.#mirror.followPod(key);
  }

  #offer(key: string): void {
    const pod = this.#store.get(pods, key);
    if (pod && isPending(pod)) this.#pending.offer(pod, (one) => this.#mirror.readableDemandOf(one));
    else this.#pending.drop(key);
  }

  /** Places what can be placed, then waits until something changes. */
  async #place(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#hasLost) await this.#recover(signal);
      this.#queueDue();
      if (this.#canPlace()) {
        this.#begin(signal);
        await this.#pause(0, signal);
      } else await this.#rung(signal);
    }
    await Promise.all(this.#underWay);
  }

  #canPlace(): boolean {
    if (!this.#pending.hasNext || this.#followed < this.#store.revision) return false;
    return !this.#hasLost && this.#underWay.size < MOST_UNDER_WAY;
  }

  /** One round. What it binds is not on the disk yet when the next begins, which sees it all the same. */
  #begin(signal: AbortSignal): void {
    const pending = this.#pending;
    const round = new BindingRound(this.#mirror, pending, this.#clock, this.#random);
    const written = this.#store
      .update((tx) => round.run(tx))
      .then(
        () => {
          this.#attempts.bound += round.bindings;
          this.#attempts.refused += round.refusals;
        },
        (error: Error) => {
          if (!signal.aborted && !this.#hasLost) this.#log.warn("could not bind pods", { error: error.message });
          this.#undo(round, pending);
        },
      );
    const over = written.then(() => {
      this.#underWay.delete(over);
      this.#wakeUp();
    });
    this.#underWay.add(over);
  }

  #undo(round: BindingRound, pending: PendingPods): void {
    this.#hasLost = true;
    round.undo();
    this.#attempts.undone += round.bindings + round.refusals;
    // Everything was read anew meanwhile, when the bindings could be seen.
    if (pending !== this.#pending) for (const key of round.tried) this.#offer(key);
  }

  async #recover(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#underWay);
    this.#hasLost = false;
    await this.#pause(PAUSE_MS, signal);
  }

  #queueDue(): void {
    this.#timer?.cancel();
    const nowMs = this.#clock.monotonic();
    const nextMs = this.#pending.queueDue(nowMs);
    if (nextMs !== undefined) this.#timer = this.#clock.setTimer(nextMs - nowMs, () => this.#wakeUp());
  }

  #rung(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      this.#ring = resolve;
    });
  }

  #wakeUp(): void {
    this.#ring?.();
    this.#ring = undefined;
  }

  /** Gives the event loop back whenever a slice of time is used up. */
  #slices(signal: AbortSignal): () => Promise<void> | undefined {
    let until = this.#clock.monotonic() + SLICE_MS;
    return () => {
      if (this.#clock.monotonic() < until) return undefined;
      return this.#pause(0, signal).then(() => {
        until = this.#clock.monotonic() + SLICE_MS;
      });
    };
  }

  /** Ends early, without a fuss, when the scheduler stops. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await this.#clock.sleep(ms, signal).catch((reason: unknown) => {
      if (!signal.aborted) throw reason;
    });
  }
}
