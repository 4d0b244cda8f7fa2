/**
 * Moves off nodes that are lost: planned by each pod's own rule (move-rules.ts), let through at the pace that is allowed
 * (move-queue.ts), and carried out by a mark on the pod, from which its controller makes another.
 */
import { isTerminal, pods } from "../../model/pod.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Store } from "../../store/store.ts";
import type { Tx } from "../../store/transaction.ts";
import type { HeldNodes } from "./held-nodes.ts";
import type { Lease } from "./lease.ts";
import type { Leases } from "./leases.ts";
import type { Looks } from "./looks.ts";
import { type Move, MoveQueue } from "./move-queue.ts";
import { isLostAlready, moveOf } from "./move-rules.ts";
import { disrupt } from "./pod-marks.ts";
import type { TermsInForce } from "./terms-in-force.ts";
import { silentWords } from "./words.ts";

export interface MoverParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly leases: Leases;
  readonly terms: TermsInForce;
  readonly held: HeldNodes;
  readonly looks: Looks;
}

export class Mover {
  readonly #parts: MoverParts;
  readonly #queue: MoveQueue;
  #moved = 0;

  constructor(parts: MoverParts) {
    this.#parts = parts;
    this.#queue = new MoveQueue(parts.terms.settings, parts.clock.monotonic());
  }

  /** Pods marked since the start, and those that wait for their turn. */
  get counts(): { readonly done: number; readonly waiting: number } {
    return { done: this.#moved, waiting: this.#queue.size };
  }

  get nextMs(): number | undefined {
    return this.#queue.nextMs(this.#parts.terms.settings);
  }

  /** The limits have changed. */
  retime(): void {
    this.#queue.retime(this.#parts.terms.settings);
  }

  plan(lease: Lease, nowMs: number): void {
    const { store, terms, held } = this.#parts;
    const { loss } = lease;
    if (!loss || held.holds(lease.node)) return;
    for (const pod of store.by(pods, "node", lease.node)) {
      const move = moveOf(pod, lease, loss, terms);
      if (move) this.#queue.add(move, nowMs, terms.settings);
    }
  }

  run(nowMs: number): void {
    const { leases, terms } = this.#parts;
    const taken = this.#queue.take(nowMs, terms.settings, (one) => this.#isWanted(one, nowMs));
    for (const [node, moves] of byNode(taken)) {
      const lease = leases.get(node);
      if (lease) void this.#carryOut(lease, moves);
    }
  }

  #isWanted({ node, key, uid }: Move, nowMs: number): boolean {
    const { store, leases, terms, held, looks } = this.#parts;
    const lease = leases.get(node);
    const pod = store.get(pods, key);
    if (!lease?.loss || pod?.metadata.uid !== uid || held.holds(node)) return false;
    const now = moveOf(pod, lease, lease.loss, terms);
    if (now === undefined || now.dueMs <= nowMs) return now !== undefined;
    // It has been put off since it was planned.
    looks.later(node, now.dueMs);
    return false;
  }

  async #carryOut(lease: Lease, moves: readonly Move[]): Promise<void> {
    const { store, clock, log, signal, looks } = this.#parts;
    const givesAway = moves.some(({ exclusive }) => exclusive);
    const silent = silentWords(lease, clock.monotonic());
    // Before anything can be seen of it: a heartbeat that comes now must not be told that all is well.
    if (givesAway) lease.giving++;
    try {
      await store.update((tx) => markAll(tx, moves, silent));
      this.#moved += moves.length;
      if (givesAway) lease.gaveAway = true;
    } catch (error) {
      if (signal.aborted) return;
      log.warn("could not replace pods; trying again", { node: lease.node, error: String(error) });
      looks.retry(lease.node);
    } finally {
      this.#queue.done(moves);
      if (givesAway) lease.giving--;
    }
  }
}

function markAll(tx: Tx, moves: readonly Move[], silent: string): void {
  for (const { key, uid, node } of moves) {
    const pod = tx.get(pods, key);
    if (pod?.metadata.uid === uid && !isTerminal(pod) && !isLostAlready(pod)) disrupt(tx, pod, node, silent);
  }
}

function byNode(moves: readonly Move[]): ReadonlyMap<string, readonly Move[]> {
  const nodes = new Map<string, Move[]>();
  for (const move of moves) {
    const mine = nodes.get(move.node);
    if (mine) mine.push(move);
    else nodes.set(move.node, [move]);
  }
  return nodes;
}
