/** When the old copy of a pod that is being moved may stop. Pure. */
import type { Copies } from "../../model/copies.ts";
import { disruptionOf, isActive } from "../../model/disruption.ts";
import { isLive, isReady, type Pod } from "../../model/pod.ts";
import { readySinceMs } from "../scale-down-order.ts";

/** A successor that falls over at once is none: it has to stay ready for at least so long. */
const LEAST_READY_MS = 2_000;

export interface Moving {
  readonly pod: Pod;
  /** The other pods of its controller. */
  readonly peers: readonly Pod[];
  readonly copies: Copies | undefined;
  /** Ready copies when its move began. */
  readonly readyBefore: number;
  /** When its move began, in milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly nowMs: number;
}

export type Judgement =
  | { readonly stop: true }
  /** `againInMs`: time alone will change the answer then. */
  | { readonly stop: false; readonly reason: string; readonly againInMs?: number };

/** Its successor is there, and afterwards no fewer copies are ready than before (or than are wanted now, if that is less). */
export function judgeMove(moving: Moving): Judgement {
  const { pod, peers, copies, readyBefore, nowMs } = moving;
  const missing = missingSuccessor(moving);
  if (missing !== undefined) return { stop: false, reason: missing };
  if (!isReady(pod)) return { stop: true };
  const waits = peers.filter(isActive).flatMap((peer) => (isReady(peer) ? [waitOf(peer, copies, nowMs)] : []));
  const available = waits.filter((ms) => ms <= 0).length;
  const after = available + peers.filter(runsOnMeanwhile).length;
  const floor = Math.min(readyBefore, copies?.wanted ?? readyBefore);
  if (after >= floor) return { stop: true };
  const again = Math.min(...waits.filter((ms) => ms > 0));
  return {
    stop: false,
    reason: Number.isFinite(again) ? "its successor is ready, and is watched for a moment" : waitWords(moving, floor),
    ...(Number.isFinite(again) ? { againInMs: again } : {}),
  };
}

/** Ready copies of its workload: those that count, and those that are on the move themselves and still run. */
export function readyCopies(pods: readonly Pod[]): number {
  return pods.filter((pod) => isReady(pod) && (isActive(pod) || runsOnMeanwhile(pod))).length;
}

/** Being moved by a person's wish, and still running. */
export function runsOnMeanwhile(pod: Pod): boolean {
  return isLive(pod) && isReady(pod) && isOnTheMove(pod);
}

export function isOnTheMove(pod: Pod): boolean {
  const reason = disruptionOf(pod)?.reason;
  return isLive(pod) && (reason === "Drain" || reason === "Rebalance");
}

function waitOf(peer: Pod, copies: Copies | undefined, nowMs: number): number {
  const sinceMs = readySinceMs(peer) ?? Date.parse(peer.metadata.creationTimestamp);
  return sinceMs + Math.max(LEAST_READY_MS, copies?.minReadyMs ?? 0) - nowMs;
}

function missingSuccessor({ peers, copies, sinceMs }: Moving): string | undefined {
  const active = peers.filter(isActive);
  if (copies && active.length >= copies.wanted) return undefined;
  // Written times have whole seconds.
  const isNew = (peer: Pod) => Date.parse(peer.metadata.creationTimestamp) + 1000 > sinceMs;
  if (!copies && active.some(isNew)) return undefined;
  const [leaving] = peers.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  return leaving
    ? `its successor is not made yet: ${leaving.metadata.name} is still stopping`
    : "its successor is not made yet";
}

function waitWords({ peers }: Moving, floor: number): string {
  const newest = peers.filter((peer) => isActive(peer) && !isReady(peer)).toSorted(newestFirst)[0];
  if (!newest) return `it waits until ${floor} ${floor === 1 ? "copy is" : "copies are"} ready`;
  return `its successor ${successorWords(newest)}`;
}

/** `web-x7 on n3 is starting`, or why it has no place. */
export function successorWords(successor: Pod): string {
  const { name } = successor.metadata;
  const { nodeName } = successor.spec;
  if (nodeName !== undefined) return `${name} on ${nodeName} is not ready yet`;
  const refused = successor.status.conditions?.find(
    ({ type, status }) => type === "PodScheduled" && status === "False",
  );
  return refused?.message === undefined ? `${name} waits for a node` : `${name} has no place: ${refused.message}`;
}

function newestFirst(a: Pod, b: Pod): number {
  const [left, right] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp} ${metadata.name}`);
  return (left ?? "") < (right ?? "") ? 1 : -1;
}
