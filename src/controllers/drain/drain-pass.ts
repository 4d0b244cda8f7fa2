/** One look at a node that is being drained: what of its pods may start to move, what may stop, and what has to wait for what. */

import { type CopiesBook, type Kept, workloadNameOf } from "../../model/copies-book.ts";
import { disruptionOf, withDisruption } from "../../model/disruption.ts";
import { keyOf } from "../../model/meta.ts";
import type { DrainedPod, DrainState, NodeDrain } from "../../model/node-drain.ts";
import { isReady, isTerminal, type Pod, pods } from "../../model/pod.ts";
import { toleratesCordon } from "../../model/toleration.ts";
import { rfc3339 } from "../../seams/clock.ts";
import { deletePod } from "../../store/delete-pod.ts";
import { peersOf } from "../../store/peers-of.ts";
import { recordEvent } from "../../store/record-event.ts";
import type { Tx } from "../../store/transaction.ts";
import { type Candidate, drainOrder, isSystemPod } from "./drain-order.ts";
import type { FindElsewhere } from "./elsewhere.ts";
import { isOnTheMove, judgeMove, readyCopies } from "./judge-move.ts";
import { movesAtOnce } from "./moves-at-once.ts";
import { movingSinceMs, namesOf, notReadySinceMs, overdueAfterMs } from "./overdue.ts";

/** What has no place is tried again so often, beside when something changes. */
const RETRY_MS = 5_000;
/** The scheduler has not heard of the cordon yet. */
const SOON_MS = 200;

interface Wait {
  readonly reason: string;
  /** What it waits for does not come by itself, as far as anybody can tell. */
  readonly blocked?: true;
}

export class DrainPass {
  readonly #tx: Tx;
  readonly #drain: NodeDrain;
  readonly #book: CopiesBook;
  readonly #elsewhere: FindElsewhere;
  readonly #earlier: ReadonlyMap<string, DrainedPod>;
  readonly #rows = new Map<string, DrainedPod>();
  readonly #isLate: boolean;
  /** Owners of which no more copies may be on the move, and why: asked once per look, as they may have thousands. */
  readonly #atLimit = new Map<string, Wait>();
  #againInMs = Number.POSITIVE_INFINITY;

  /** `leftMs`: until its deadline, if it has one. */
  constructor(tx: Tx, drain: NodeDrain, book: CopiesBook, elsewhere: FindElsewhere, leftMs: number | undefined) {
    this.#tx = tx;
    this.#drain = drain;
    this.#book = book;
    this.#elsewhere = elsewhere;
    this.#earlier = new Map(drain.status.pods.map((row) => [row.uid, row]));
    this.#isLate = leftMs !== undefined && leftMs <= 0;
    if (leftMs !== undefined && leftMs > 0) this.#againInMs = leftMs;
  }

  /** When to look again although nothing changes; Infinity = never. */
  get againInMs(): number {
    return this.#againInMs;
  }

  /** Moves what may move, and says of every pod how it is with it. */
  run(): readonly DrainedPod[] {
    const here = this.#podsHere();
    const fresh = here.filter(({ pod, kept }) => !this.#goOn(pod, kept));
    for (const candidate of drainOrder(fresh)) this.#consider(candidate);
    return this.#finish();
  }

  /** Says only what is gone; nothing is moved. */
  observe(): readonly DrainedPod[] {
    for (const { pod } of this.#podsHere()) {
      const before = this.#earlier.get(pod.metadata.uid);
      // As it stands, with how many copies were ready when its move began: that is the floor when it goes on.
      if (before) this.#rows.set(pod.metadata.uid, before);
      else this.#say(pod, "waiting", "its turn has not come");
    }
    return this.#finish();
  }

  #podsHere(): readonly Candidate[] {
    const here = this.#tx.by(pods, "node", this.#drain.metadata.name).filter((pod) => !isTerminal(pod));
    return here.map((pod) => ({ pod, kept: this.#book.keptBy(this.#tx, pod) }));
  }

  /** Takes care of a pod whose move is under way; false: it is not. */
  #goOn(pod: Pod, kept: Kept): boolean {
    if (pod.metadata.deletionTimestamp !== undefined) {
      const { reason = "it was asked to stop", needsForce } = this.#earlier.get(pod.metadata.uid) ?? {};
      this.#say(pod, "stopping", reason, needsForce ? { needsForce } : {});
      return true;
    }
    const disruption = disruptionOf(pod);
    if (disruption?.reason === "NodeUnreachable") {
      this.#say(pod, "waiting", "its node was lost: its successor is elsewhere, and it goes when the node is back");
      return true;
    }
    if (disruption?.reason !== "Drain" || this.#isLate) return false;
    if (kept.moves === "start first") this.#judge(pod, kept);
    else if (kept.moves === "stop first")
      this.#stop(pod, "there may be one only: it stops before its successor starts");
    else return false;
    return true;
  }

  #judge(pod: Pod, { copies }: Kept): void {
    const { since, readyBefore = 0 } = this.#earlier.get(pod.metadata.uid) ?? {};
    const { nowMs } = this.#tx;
    const sinceMs = Date.parse(since ?? disruptionOf(pod)?.lastTransitionTime ?? rfc3339(nowMs));
    const verdict = judgeMove({ pod, peers: peersOf(this.#tx, pod), copies, readyBefore, sinceMs, nowMs });
    if (verdict.stop) {
      this.#stop(pod, "its successor is ready");
      return;
    }
    const overdueMs = sinceMs + overdueAfterMs(copies) - nowMs;
    const isWatched = verdict.againInMs !== undefined;
    this.#lookAgain(verdict.againInMs ?? (overdueMs > 0 ? overdueMs : Number.POSITIVE_INFINITY));
    if (isWatched || overdueMs > 0) this.#say(pod, "starting", verdict.reason, { readyBefore });
    else this.#say(pod, "starting", `${verdict.reason}; others are not kept waiting`, { readyBefore, blocked: true });
  }

  #consider({ pod, kept }: Candidate): void {
    const { name } = this.#drain.metadata;
    if (kept.moves === "stays") {
      this.#say(pod, "stays", kept.copies?.why ?? "it belongs to this node");
    } else if (kept.moves === "nobody's" && !this.#drain.spec.force) {
      this.#say(pod, "stays", `nothing would start it elsewhere; styr drain ${name} --force deletes it`, {
        needsForce: true,
      });
    } else if (kept.moves !== "nobody's" && toleratesCordon(pod.spec.tolerations ?? [])) {
      this.#say(pod, "stays", "it tolerates that its node is cordoned: its successor would start there again");
    } else if (this.#isLate) {
      this.#stop(pod, "the deadline has come", forceOf(kept));
    } else {
      const wait = this.#whyWait(pod, kept);
      if (wait === undefined) this.#begin(pod, kept);
      else
        this.#say(pod, "waiting", wait.reason, {
          ...forceOf(kept),
          ...(wait.blocked ? { blocked: wait.blocked } : {}),
        });
    }
  }

  #whyWait(pod: Pod, { owner, moves, copies }: Kept): Wait | undefined {
    const rows = [...this.#rows.values()].filter(({ blocked }) => !blocked);
    const underWay = rows.filter(({ state }) => state === "starting" || state === "stopping");
    if (underWay.length >= this.#drain.spec.atOnce) return { reason: `its turn comes after ${namesOf(underWay)}` };
    if (isSystemPod(pod) && (underWay.length > 0 || rows.some(({ state }) => state === "waiting")))
      return { reason: "system pods go last" };
    if (!owner || moves === "nobody's") return undefined;
    const known = this.#atLimit.get(owner.uid);
    if (known !== undefined) return known;
    const peers = peersOf(this.#tx, pod);
    if (moves === "stop first") {
      const other = peers.find((peer) => !isTerminal(peer) && !isReady(peer));
      if (!other || !isReady(pod)) return undefined;
      this.#lookAgain(RETRY_MS);
      const isOverdue = this.#tx.nowMs - notReadySinceMs(other) >= overdueAfterMs(copies);
      return { reason: `${other.metadata.name} is not ready`, ...(isOverdue ? { blocked: true } : {}) };
    }
    const limit = movesAtOnce(copies);
    const moving = peers.filter(isOnTheMove);
    if (moving.length < limit) return undefined;
    this.#lookAgain(RETRY_MS);
    const overdue = moving.filter((peer) => this.#tx.nowMs - movingSinceMs(peer) >= overdueAfterMs(copies));
    const reason = limit === 1 ? "another copy is being moved" : `${limit} other copies are being moved`;
    const isBlocked = moving.length - overdue.length === 0;
    const wait: Wait = isBlocked ? { reason: `${reason}, and its successor is not ready`, blocked: true } : { reason };
    this.#atLimit.set(owner.uid, wait);
    return wait;
  }

  #begin(pod: Pod, { moves }: Kept): void {
    if (moves === "nobody's") {
      this.#stop(pod, "it was to be deleted with --force", { needsForce: true });
      return;
    }
    const startsFirst = moves === "start first" && isReady(pod);
    const place = this.#elsewhere(pod, !startsFirst);
    if (place.kind === "unknown" || place.kind === "here") {
      this.#lookAgain(SOON_MS);
      this.#say(pod, "waiting", "its turn has not come");
    } else if (place.kind === "nowhere") {
      this.#lookAgain(RETRY_MS);
      this.#say(pod, "stuck", place.reason);
    } else if (startsFirst) this.#mark(pod);
    else if (isReady(pod)) this.#stop(pod, "there may be one only: it stops before its successor starts");
    else this.#stop(pod, "it is not ready: its successor starts at once");
  }

  #mark(pod: Pod): void {
    const { name } = this.#drain.metadata;
    const readyBefore = readyCopies([pod, ...peersOf(this.#tx, pod)]);
    const message = `${name} is being drained: a successor starts elsewhere, then this one stops`;
    this.#tx.update(pods, withDisruption(pod, "Drain", message, this.#tx.nowMs));
    this.#note(pod, message);
    this.#say(pod, "starting", "its successor is not made yet", { readyBefore });
  }

  #stop(pod: Pod, reason: string, more: Pick<DrainedPod, "needsForce"> = {}): void {
    deletePod(this.#tx, pod);
    this.#note(pod, `${this.#drain.metadata.name} is being drained: ${reason}`);
    this.#say(pod, "stopping", reason, more);
  }

  #note(pod: Pod, message: string): void {
    recordEvent(this.#tx, pod, { type: "Normal", reason: "Moving", message, component: "drain" });
  }

  #say(
    pod: Pod,
    state: DrainState,
    reason: string,
    more: Pick<DrainedPod, "readyBefore" | "needsForce" | "blocked"> = {},
  ): void {
    const { uid } = pod.metadata;
    const before = this.#earlier.get(uid);
    const since = before?.state === state ? before.since : rfc3339(this.#tx.nowMs);
    this.#rows.set(uid, { key: keyOf(pod), uid, workload: workloadNameOf(pod), state, reason, since, ...more });
  }

  #finish(): readonly DrainedPod[] {
    const since = rfc3339(this.#tx.nowMs);
    for (const [uid, before] of this.#earlier) {
      if (this.#rows.has(uid) || before.state === "stays") continue;
      this.#rows.set(uid, isOver(before) ? before : gone(before, since));
    }
    return [...this.#rows.values()].toSorted((a, b) =>
      a.key < b.key ? -1 : a.key > b.key ? 1 : a.uid < b.uid ? -1 : 1,
    );
  }

  #lookAgain(ms: number): void {
    this.#againInMs = Math.min(this.#againInMs, ms);
  }
}

function isOver({ state }: DrainedPod): boolean {
  return state === "moved" || state === "deleted";
}

function gone({ blocked: _, ...before }: DrainedPod, since: string): DrainedPod {
  return { ...before, state: before.needsForce ? "deleted" : "moved", since };
}

function forceOf({ moves }: Kept): Pick<DrainedPod, "needsForce"> {
  return moves === "nobody's" ? { needsForce: true } : {};
}
