/**
 * Makes the moves of a rebalance that a person asked for, a few at a time: mark the copy (DisruptionTarget), wait until its
 * own controller has a successor that is ready, stop the old one. The first thing that goes wrong calls off what is under
 * way. All progress is in the store.
 */
import type { CopiesRule } from "../../model/copies.ts";
import { CopiesBook } from "../../model/copies-book.ts";
import { controllerOf } from "../../model/meta.ts";
import { type Pod, pods } from "../../model/pod.ts";
import {
  REBALANCE_NAME,
  type Rebalance,
  type RebalanceMove,
  type RebalanceStatus,
  rebalances,
} from "../../model/rebalance.ts";
import { rfc3339 } from "../../seams/clock.ts";
import { recordEvent } from "../../store/record-event.ts";
import type { Reader, Tx } from "../../store/transaction.ts";
import { type Controller, wakes } from "../controller.ts";
import type { FindElsewhere } from "../drain/elsewhere.ts";
import { RebalancePass } from "./rebalance-pass.ts";

export interface RebalanceOptions {
  /** One per kind that keeps copies, beside ReplicationController. */
  readonly copies: readonly CopiesRule[];
  readonly elsewhere: FindElsewhere;
}

export function rebalanceController({ copies, elsewhere }: RebalanceOptions): Controller {
  const book = new CopiesBook(copies);
  return {
    name: "rebalance",
    wakers: [wakes(rebalances, ({ metadata }) => [metadata.name]), wakes(pods, concerned)],
    reconcile(key, tx) {
      const rebalance = tx.get(rebalances, key);
      if (rebalance?.status.phase !== "running") return undefined;
      const pass = new RebalancePass(tx, rebalance, book, elsewhere);
      write(tx, rebalance, pass.run());
      return Number.isFinite(pass.againInMs) ? { afterMs: Math.max(0, pass.againInMs) } : undefined;
    },
  };
}

/** Copies of the workloads that are on the move now. */
function concerned(pod: Pod, reader: Reader): readonly string[] {
  const present = reader.get(rebalances, REBALANCE_NAME);
  if (present?.status.phase !== "running") return [];
  const owner = controllerOf(pod)?.uid;
  const isConcerned = ({ uid, pod: key, state }: RebalanceMove) => {
    if (state !== "starting" && state !== "stopping") return false;
    const moving = reader.get(pods, key);
    return uid === pod.metadata.uid || (moving !== undefined && controllerOf(moving)?.uid === owner);
  };
  return present.status.moves.some(isConcerned) ? [REBALANCE_NAME] : [];
}

function write(
  tx: Tx,
  rebalance: Rebalance,
  { moves, message }: { moves: readonly RebalanceMove[]; message?: string },
) {
  const isOpen = moves.some(({ state }) => state === "waiting" || state === "starting" || state === "stopping");
  const ended = rebalance.spec.stoppedBy === undefined ? "done" : "stopped";
  const phase = message === undefined ? (isOpen ? "running" : ended) : "failed";
  const { startedAt } = rebalance.status;
  const status: RebalanceStatus = {
    phase,
    startedAt,
    ...(phase === "running" ? {} : { endedAt: rfc3339(tx.nowMs) }),
    ...(message === undefined ? {} : { message }),
    moves,
  };
  const written = tx.update(rebalances, { ...rebalance, status });
  if (phase === "running") return;
  const done = moves.filter(({ state }) => state === "done").length;
  const words = {
    done: "ended",
    stopped: `was stopped by ${rebalance.spec.stoppedBy}`,
    failed: `was called off: ${message}`,
  };
  recordEvent(tx, written, {
    type: phase === "failed" ? "Warning" : "Normal",
    reason: phase === "done" ? "Rebalanced" : "RebalanceStopped",
    message: `the rebalance ${words[phase]}; ${done} of ${moves.length} moved`,
    component: "rebalance",
  });
}
