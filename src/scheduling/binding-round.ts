import { keyOf } from "../model/meta.ts";
import { type Pod, pods } from "../model/pod.ts";
import type { Clock } from "../seams/clock.ts";
import type { Random } from "../seams/random.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Tx } from "../store/transaction.ts";
import { boundPod, refusalOf, unscheduledPod } from "./bind-pod.ts";
import type { Demand } from "./demand.ts";
import { isPending, type PendingPods, type Waiting } from "./pending-pods.ts";
import { type RefusalSummary, summarizeRefusals } from "./refusal-summary.ts";
import type { Placement } from "./schedule-pod.ts";
import type { StoreMirror } from "./store-mirror.ts";

/** One transaction places for so long: committing what it bound takes as long again. */
const ROUND_MS = 4;
/** And at most so many, where time stands still (simulation). */
const ROUND_PODS = 256;
/** Up to here every waiting pod's message is kept to the last number; beyond, only when what it is about changes. */
const EXACT_MESSAGES = 100;
const COMPONENT = "scheduler";

/** One transaction's worth of placements. Chooses inside the transaction, so that what it binds is right when it is bound. */
export class BindingRound {
  readonly #mirror: StoreMirror;
  readonly #pending: PendingPods;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tried: Waiting[] = [];
  /** Refusals of this round: good for later pods of the template until a pod is bound that their rules may count. */
  readonly #refused = new Map<Demand, { readonly summary: RefusalSummary; readonly afterBindings: number }>();
  /** Pods whose status this round has written. */
  readonly #told: Waiting[] = [];
  #bindings = 0;
  #refusals = 0;

  constructor(mirror: StoreMirror, pending: PendingPods, clock: Clock, random: Random) {
    this.#mirror = mirror;
    this.#pending = pending;
    this.#clock = clock;
    this.#random = random;
  }

  /** How many pods it has given a node, and how many it found none for. */
  get bindings(): number {
    return this.#bindings;
  }

  get refusals(): number {
    return this.#refusals;
  }

  /** Keys of the pods that it looked at. */
  get tried(): readonly string[] {
    return this.#tried.map(({ key }) => key);
  }

  run(tx: Tx): void {
    const effect = this.#mirror.catchUp(tx);
    if (effect !== "none") this.#pending.wake(effect === "more room" ? "all" : "with pod rules");
    const until = this.#clock.monotonic() + ROUND_MS;
    while (this.#tried.length < ROUND_PODS && this.#clock.monotonic() < until) {
      const waiting = this.#pending.next();
      if (!waiting) break;
      this.#tried.push(waiting);
      this.#try(tx, waiting);
    }
    if (this.#bindings > 0) this.#pending.wake("with pod rules");
  }

  /** The transaction was lost: what it bound is not bound, and everything it looked at is looked at again. */
  undo(): void {
    this.#mirror.forget(this.tried);
    for (const waiting of this.#told) waiting.refusedFor = undefined;
    for (const waiting of this.#tried) this.#pending.putBack(waiting);
  }

  #try(tx: Tx, waiting: Waiting): void {
    const pod = tx.get(pods, waiting.key);
    if (!pod || pod.metadata.uid !== waiting.uid || !isPending(pod)) {
      this.#pending.drop(waiting.key);
      return;
    }
    const demand = this.#mirror.readableDemandOf(pod);
    if (!demand) {
      tx.update(pods, unscheduledPod(pod, "its placement rules cannot be read", tx.nowMs));
      return;
    }
    const known = this.#refused.get(demand);
    const stillRefused = known && (known.afterBindings === this.#bindings || demand.podRules.length === 0);
    const placement = stillRefused ? undefined : this.#mirror.index.place(demand);
    if (placement) this.#bind(tx, pod, demand, placement);
    else this.#refuse(tx, pod, waiting, demand, stillRefused ? known.summary : undefined);
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
  }

  #refuse(tx: Tx, pod: Pod, waiting: Waiting, demand: Demand, known: RefusalSummary | undefined): void {
    this.#refusals++;
    const { index } = this.#mirror;
    const summary = known ?? summarizeRefusals(demand, index.nodes, index.census);
    this.#refused.set(demand, { summary, afterBindings: this.#bindings });
    this.#pending.putAside(waiting, demand, this.#clock.monotonic());
    this.#tell(tx, pod, waiting, summary);
    if (!known) this.#tellOthers(tx, waiting, demand, summary);
  }

  /** What is true of one is true of all that wait for the same. */
  #tellOthers(tx: Tx, tried: Waiting, demand: Demand, summary: RefusalSummary): void {
    const all = this.#pending.asideFor(demand);
    const isExact = all.size <= EXACT_MESSAGES;
    for (const other of [...all]) {
      if (other === tried || (!isExact && other.refusedFor === summary.about)) continue;
      // Too many for one transaction: the rest take their turn in the queue.
      if (this.#told.length >= ROUND_PODS) this.#pending.retry(other);
      else {
        const pod = tx.get(pods, other.key);
        if (pod && pod.metadata.uid === other.uid && isPending(pod)) this.#tell(tx, pod, other, summary);
      }
    }
  }

  #tell(tx: Tx, pod: Pod, waiting: Waiting, { message, about }: RefusalSummary): void {
    waiting.refusedFor = about;
    const told = unscheduledPod(pod, message, tx.nowMs);
    if (told === pod) return;
    this.#told.push(waiting);
    const isNews = refusalOf(pod) === undefined;
    tx.update(pods, told);
    if (isNews) recordEvent(tx, pod, { type: "Warning", reason: "FailedScheduling", message, component: COMPONENT });
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
