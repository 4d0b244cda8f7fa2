/**
 * The stage between controllers and agents: gives every pod without a node one, or says in words why it cannot. It
 * watches the store and writes the store.
 *
 * Pods are placed inside a transaction, against an index that has caught up with what the transaction sees. So nothing
 * can come between choosing a node and binding to it: hard rules hold and no node is oversold at the moment of binding.
 */
import { keyOf } from "../model/meta.ts";
import { nodes } from "../model/node.ts";
import { isTerminal, type Pod, pods } from "../model/pod.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Store } from "../store/store.ts";
import type { Change, Tx } from "../store/transaction.ts";
import { boundPod, unscheduledPod } from "./bind-pod.ts";
import type { Demand } from "./demand.ts";
import { PendingPods, type Waiting } from "./pending-pods.ts";
import { type RefusalSummary, summarizeRefusals } from "./refusal-summary.ts";
import type { Placement } from "./schedule-pod.ts";
import type { Strategy } from "./scores.ts";
import { type Effect, StoreMirror } from "./store-mirror.ts";

export interface SchedulerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly strategy?: Strategy;
}

/** The event loop is given back after so long. */
const SLICE_MS = 10;
/** One transaction binds at most so many, so that a batch for the journal stays a batch. */
const SLICE_PODS = 512;
/** After the store refused or something broke. */
const PAUSE_MS = 1000;
/** Up to here every waiting pod's message is kept to the last number; beyond, only when what it is about changes. */
const EXACT_MESSAGES = 100;
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

  constructor({ store, clock, random, log, strategy = "spread" }: SchedulerOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random.fork("scheduler");
    this.#log = log.with({ component: COMPONENT });
    this.#strategy = strategy;
    this.#mirror = new StoreMirror(store, strategy);
  }

  /** How many pods have no node at present. */
  get pendingCount(): number {
    return this.#pending.size;
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
    this.#mirror = new StoreMirror(this.#store, this.#strategy);
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
    if (pod && isPending(pod)) this.#pending.offer(pod, (one) => this.#mirror.demandOf(one));
    else this.#pending.drop(key);
  }

  /** Places what can be placed, then waits until something changes. */
  async #place(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#queueDue();
      if (!this.#pending.hasNext || this.#followed < this.#store.revision) {
        await this.#rung(signal);
        continue;
      }
      const round = new Round(this.#mirror, this.#pending, this.#clock, this.#random, this.#log);
      try {
        await this.#store.update((tx) => round.run(tx));
        await this.#pause(0, signal);
      } catch (error) {
        round.undo();
        if (signal.aborted) return;
        this.#log.warn("could not bind pods", { error: (error as Error).message });
        await this.#pause(PAUSE_MS, signal);
      }
    }
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

/** Neither bound, nor over, nor asked to go. */
function isPending(pod: Pod): boolean {
  return pod.spec.nodeName === undefined && pod.metadata.deletionTimestamp === undefined && !isTerminal(pod);
}

/** One transaction's worth of placements. */
class Round {
  readonly #mirror: StoreMirror;
  readonly #pending: PendingPods;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #tried: Waiting[] = [];
  /** Refusals of this round: good for later pods of the template until a pod is bound that their rules may count. */
  readonly #refused = new Map<Demand, { readonly summary: RefusalSummary; readonly afterBindings: number }>();
  #bindings = 0;

  constructor(mirror: StoreMirror, pending: PendingPods, clock: Clock, random: Random, log: Log) {
    this.#mirror = mirror;
    this.#pending = pending;
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
  }

  run(tx: Tx): void {
    this.#mirror.catchUp(tx);
    const until = this.#clock.monotonic() + SLICE_MS;
    while (this.#tried.length < SLICE_PODS && this.#clock.monotonic() < until) {
      const waiting = this.#pending.next();
      if (!waiting) return;
      this.#tried.push(waiting);
      this.#try(tx, waiting);
    }
  }

  /** The transaction was lost: what it bound is not bound, and everything it looked at is looked at again. */
  undo(): void {
    this.#mirror.forget(this.#tried.map(({ key }) => key));
    for (const waiting of this.#tried) this.#pending.putBack(waiting);
  }

  #try(tx: Tx, waiting: Waiting): void {
    const pod = tx.get(pods, waiting.key);
    if (!pod || pod.metadata.uid !== waiting.uid || !isPending(pod)) {
      this.#pending.drop(waiting.key);
      return;
    }
    const demand = this.#demandOf(tx, pod, waiting);
    if (!demand) return;
    const known = this.#refused.get(demand);
    const stillRefused = known && (known.afterBindings === this.#bindings || demand.podRules.length === 0);
    const placement = stillRefused ? undefined : this.#mirror.index.place(demand);
    if (placement) this.#bind(tx, pod, demand, placement);
    else this.#refuse(tx, pod, waiting, demand, stillRefused ? known.summary : undefined);
  }

  /** A pod whose rules cannot be read must not stop the others. */
  #demandOf(tx: Tx, pod: Pod, waiting: Waiting): Demand | undefined {
    try {
      return this.#mirror.demandOf(pod);
    } catch (error) {
      const { message } = error as Error;
      this.#log.error("a pod's placement rules cannot be read", { pod: waiting.key, error: message });
      tx.update(pods, unscheduledPod(pod, `its placement rules cannot be read: ${message}`, tx.nowMs));
      return undefined;
    }
  }

  #bind(tx: Tx, pod: Pod, demand: Demand, { node }: Placement): void {
    const words = reasonWords(this.#mirror, demand, node.name, node.load);
    const bound = tx.update(pods, boundPod(pod, node, this.#random, tx.nowMs));
    const key = keyOf(pod);
    recordEvent(tx, bound, {
      type: "Normal",
      reason: "Scheduled",
      message: `Successfully assigned ${key} to ${node.name}: ${words}`,
      component: COMPONENT,
    });
    this.#pending.drop(key);
    this.#mirror.applyPod(key, bound);
    this.#bindings++;
    this.#pending.placed(demand);
    this.#pending.wake("with pod rules");
  }

  #refuse(tx: Tx, pod: Pod, waiting: Waiting, demand: Demand, known: RefusalSummary | undefined): void {
    const { index } = this.#mirror;
    const summary = known ?? summarizeRefusals(demand, index.nodes, index.census);
    this.#refused.set(demand, { summary, afterBindings: this.#bindings });
    const isExact = known === undefined || this.#pending.asideFor(demand) <= EXACT_MESSAGES;
    this.#pending.putAside(waiting, demand, this.#clock.monotonic());
    if (waiting.refusedFor === summary.about && !isExact) return;
    waiting.refusedFor = summary.about;
    const isNews = pod.status.reason !== "Unschedulable";
    const told = unscheduledPod(pod, summary.message, tx.nowMs);
    if (told === pod) return;
    tx.update(pods, told);
    if (!isNews) return;
    const event = {
      type: "Warning",
      reason: "FailedScheduling",
      message: summary.message,
      component: COMPONENT,
    } as const;
    recordEvent(tx, pod, event);
  }
}

/** Why there, in a few words that cost nothing: the whole table is `styr why`. */
function reasonWords({ index }: StoreMirror, { identity, nodeRules }: Demand, nodeName: string, load: number): string {
  const full = `${Math.round(load / 10_000)} % full before`;
  const ofThose = nodeRules.length > 0 ? `of the nodes with ${nodeRules.map(({ from }) => from).join(", ")}, ` : "";
  if (index.strategy === "binpack") return `${ofThose}the fullest with room (${full})`;
  if (identity.peers === undefined) return `${ofThose}the least loaded with room (${full})`;
  const copies = index.copiesOn(identity.peers, nodeName);
  const others = copies === 0 ? "no other copy there" : `${copies} other ${copies === 1 ? "copy" : "copies"} there`;
  return `${ofThose}the best by load and spread (${full}, ${others})`;
}
