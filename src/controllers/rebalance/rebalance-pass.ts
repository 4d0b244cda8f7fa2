/** One look at a rebalance: what is done, what may stop, what has failed, what may begin. */
import type { CopiesBook } from "../../model/copies-book.ts";
import { disruptionOf, isActive, isDisrupted, withDisruption, withoutDisruption } from "../../model/disruption.ts";
import { isNodeReady, nodes } from "../../model/node.ts";
import { isLive, isReady, type Pod, pods } from "../../model/pod.ts";
import type { MoveState, Rebalance, RebalanceMove } from "../../model/rebalance.ts";
import { rfc3339 } from "../../seams/clock.ts";
import { deletePod } from "../../store/delete-pod.ts";
import { peersOf } from "../../store/peers-of.ts";
import { recordEvent } from "../../store/record-event.ts";
import type { Tx } from "../../store/transaction.ts";
import type { FindElsewhere } from "../drain/elsewhere.ts";
import { isOnTheMove, judgeMove, readyCopies } from "../drain/judge-move.ts";
import { movesAtOnce } from "../drain/moves-at-once.ts";

/** A successor that is not ready by then is taken for one that never will be. */
const READY_WITHIN_MS = 120_000;
const SOON_MS = 1_000;

export interface PassResult {
  readonly moves: readonly RebalanceMove[];
  /** What went wrong: everything is called off. */
  readonly message?: string;
}

export class RebalancePass {
  readonly #tx: Tx;
  readonly #rebalance: Rebalance;
  readonly #book: CopiesBook;
  readonly #elsewhere: FindElsewhere;
  #failure: { readonly uid: string; readonly message: string } | undefined;
  #againInMs = Number.POSITIVE_INFINITY;

  constructor(tx: Tx, rebalance: Rebalance, book: CopiesBook, elsewhere: FindElsewhere) {
    this.#tx = tx;
    this.#rebalance = rebalance;
    this.#book = book;
    this.#elsewhere = elsewhere;
  }

  /** When to look again although nothing changes; Infinity = never. */
  get againInMs(): number {
    return this.#againInMs;
  }

  run(): PassResult {
    const { moves, stoppedBy } = this.#rebalance.spec;
    const since = rfc3339(this.#tx.nowMs);
    const known = this.#rebalance.status.moves;
    let rows = moves.map(
      (move, at) => known[at] ?? { ...move, state: "waiting" as const, reason: "its turn has not come", since },
    );
    rows = rows.map((row) => this.#goOn(row));
    if (stoppedBy !== undefined) rows = rows.map((row) => this.#callOff(row, `${stoppedBy} stopped it`));
    else if (this.#failure === undefined) rows = this.#begin(rows);
    if (this.#failure === undefined) return { moves: rows };
    const { uid, message } = this.#failure;
    const calledOff = rows.map((row) => this.#callOff(row, row.uid === uid ? message : "another move failed"));
    // Those that were asked to stop have their successors: nobody has to wait for them.
    const ended = calledOff.map((row) => (row.state === "stopping" ? this.#as(row, "done", row.reason) : row));
    return { moves: ended, message };
  }

  /** The pod itself, not another that has its name by now. */
  #podOf({ pod: key, uid }: RebalanceMove): Pod | undefined {
    const pod = this.#tx.get(pods, key);
    return pod?.metadata.uid === uid ? pod : undefined;
  }

  #goOn(row: RebalanceMove): RebalanceMove {
    const pod = this.#podOf(row);
    if (row.state === "stopping") return pod ? row : this.#as(row, "done", row.reason);
    if (row.state !== "starting") return row;
    if (!pod) return this.#as(row, "done", "it has gone");
    if (!isLive(pod)) return this.#as(row, "stopping", "it was asked to stop by somebody else");
    const reason = disruptionOf(pod)?.reason;
    if (reason === "Drain") return this.#as(row, "skipped", `${row.from} is being drained, which moves it, too`);
    if (reason !== "Rebalance") return this.#as(row, "skipped", "somebody else has taken its move back");
    return this.#judge(row, pod);
  }

  #judge(row: RebalanceMove, pod: Pod): RebalanceMove {
    const { nowMs } = this.#tx;
    const sinceMs = Date.parse(row.since);
    const peers = peersOf(this.#tx, pod);
    const { copies } = this.#book.keptBy(this.#tx, pod);
    const from = this.#tx.get(nodes, row.from);
    if (!from || !isNodeReady(from)) return this.#fail(row, `${row.from} is not ready any more`);
    const isNew = (peer: Pod) => isActive(peer) && Date.parse(peer.metadata.creationTimestamp) + 1000 > sinceMs;
    const successors = peers.filter(isNew);
    const back = successors.find(({ spec }) => spec.nodeName === row.from);
    if (back) return this.#fail(row, `the successor of ${row.pod} was placed on ${row.from} again`);
    const verdict = judgeMove({ pod, peers, copies, readyBefore: row.readyBefore ?? 0, sinceMs, nowMs });
    if (verdict.stop) return this.#stop(row, pod, successors);
    const leftMs = sinceMs + READY_WITHIN_MS - nowMs;
    if (leftMs <= 0)
      return this.#fail(row, `the successor of ${row.pod} was not ready within 2 min: ${verdict.reason}`);
    this.#lookAgain(Math.min(leftMs, verdict.againInMs ?? leftMs));
    return verdict.reason === row.reason ? row : { ...row, reason: verdict.reason };
  }

  #stop(row: RebalanceMove, pod: Pod, successors: readonly Pod[]): RebalanceMove {
    const places = [...new Set(successors.filter(isReady).flatMap(({ spec }) => spec.nodeName ?? []))].sort();
    deletePod(this.#tx, pod);
    this.#note(pod, "rebalance: its successor is ready");
    return this.#as(row, "stopping", `its successor is ready${places.length === 0 ? "" : ` on ${places.join(", ")}`}`);
  }

  /** Begins what may begin now; a move that has lost its sense since it was planned is skipped. */
  #begin(rows: readonly RebalanceMove[]): RebalanceMove[] {
    const { atOnce } = this.#rebalance.spec;
    let underWay = rows.filter(({ state }) => state === "starting" || state === "stopping").length;
    return rows.map((row) => {
      if (row.state !== "waiting" || underWay >= atOnce) return row;
      const begun = this.#tryBegin(row);
      if (begun.state === "starting") underWay++;
      return begun;
    });
  }

  #tryBegin(row: RebalanceMove): RebalanceMove {
    const pod = this.#podOf(row);
    if (!pod || !isLive(pod) || pod.spec.nodeName !== row.from) return this.#as(row, "skipped", "it has gone since");
    const kept = this.#book.keptBy(this.#tx, pod);
    const doubt = this.#doubt(row, pod, kept.moves);
    if (doubt !== undefined) return this.#as(row, "skipped", doubt);
    const peers = peersOf(this.#tx, pod);
    if (peers.filter(isOnTheMove).length >= movesAtOnce(kept.copies))
      return this.#wait(row, "another copy is being moved");
    if (peers.some((peer) => isActive(peer) && !isReady(peer))) return this.#wait(row, "another copy is not ready yet");
    const place = this.#elsewhere(pod, false);
    if (place.kind === "unknown") return this.#wait(row, "its turn has not come");
    if (place.kind === "nowhere") return this.#as(row, "skipped", `there is no place for it any more: ${place.reason}`);
    if (place.kind === "here") return this.#as(row, "skipped", "where it is, is the best place by now");
    return this.#mark(row, pod, readyCopies([pod, ...peers]));
  }

  #doubt(row: RebalanceMove, pod: Pod, moves: string): string | undefined {
    if (moves !== "start first") return "it may not be moved while it runs";
    if (isDisrupted(pod)) return "it is being moved by something else";
    if (!isReady(pod)) return "it is not ready";
    const [from, to] = [this.#tx.get(nodes, row.from), this.#tx.get(nodes, row.to)];
    if (from?.spec.unschedulable === true) return `${row.from} is cordoned`;
    if (!to || !isNodeReady(to) || to.spec.unschedulable === true) return `${row.to} takes no pods any more`;
    return undefined;
  }

  #mark(row: RebalanceMove, pod: Pod, readyBefore: number): RebalanceMove {
    const message = `rebalance: a successor starts on ${row.to}, then this one stops`;
    this.#tx.update(pods, withDisruption(pod, "Rebalance", message, this.#tx.nowMs));
    this.#note(pod, message);
    this.#lookAgain(READY_WITHIN_MS);
    return { ...this.#as(row, "starting", "its successor is not made yet"), readyBefore };
  }

  /** What has not been asked to stop runs on, and what was started in its place is too many: its controller takes it away. */
  #callOff(row: RebalanceMove, why: string): RebalanceMove {
    if (row.state === "waiting") return this.#as(row, "skipped", why);
    if (row.state !== "starting") return row;
    const pod = this.#podOf(row);
    if (pod && isLive(pod)) this.#tx.update(pods, withoutDisruption(pod, this.#tx.nowMs, false));
    return this.#as(row, "undone", why);
  }

  #fail(row: RebalanceMove, message: string): RebalanceMove {
    this.#failure ??= { uid: row.uid, message };
    return row;
  }

  #wait(row: RebalanceMove, reason: string): RebalanceMove {
    this.#lookAgain(SOON_MS);
    return row.reason === reason ? row : { ...row, reason };
  }

  #note(pod: Pod, message: string): void {
    recordEvent(this.#tx, pod, { type: "Normal", reason: "Moving", message, component: "rebalance" });
  }

  #as(row: RebalanceMove, state: MoveState, reason: string): RebalanceMove {
    return { ...row, state, reason, since: rfc3339(this.#tx.nowMs) };
  }

  #lookAgain(ms: number): void {
    this.#againInMs = Math.min(this.#againInMs, ms);
  }
}
