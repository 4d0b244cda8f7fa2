import { defineKind, type ObjectMeta } from "./meta.ts";

/**
 * A drain that a person asked for; named like its node. It is there from the asking until the node is uncordoned, and all
 * its progress is in it: a restart of the control plane changes nothing.
 */
export interface NodeDrain {
  readonly apiVersion: string;
  readonly kind: "NodeDrain";
  readonly metadata: ObjectMeta;
  readonly spec: NodeDrainSpec;
  readonly status: NodeDrainStatus;
}

export interface NodeDrainSpec {
  /** Who asked. */
  readonly by: string;
  /** RFC 3339: what has not moved by then is stopped anyway. */
  readonly deadline?: string;
  /** Pods that nothing would start elsewhere are deleted, too. */
  readonly force: boolean;
  /** Moves under way at once on this node. */
  readonly atOnce: number;
}

/** `blocked`: nothing goes on: all that is left has nowhere to go, or waits for successors that do not become ready. It goes on by itself when that changes, or when the deadline comes. */
export type DrainPhase = "draining" | "blocked" | "drained";

export interface NodeDrainStatus {
  readonly phase: DrainPhase;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Why nothing moves at present, for the drain as a whole. */
  readonly note?: string;
  /** Sorted by key. */
  readonly pods: readonly DrainedPod[];
}

/**
 * `waiting` its turn has not come · `starting` its successor starts, it runs on · `stopping` it was asked to stop ·
 * `moved` it has stopped · `deleted` it has stopped, and nobody starts it elsewhere · `stuck` there is no place for its successor · `stays` it is not the drain's to move.
 */
export type DrainState = "waiting" | "starting" | "stopping" | "moved" | "deleted" | "stuck" | "stays";

export interface DrainedPod {
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  /** As its user calls it. */
  readonly workload: string;
  readonly state: DrainState;
  /** Why it is so, in words. */
  readonly reason: string;
  /** RFC 3339: since when it is in this state. */
  readonly since: string;
  /** Ready copies of its workload when its move began: not fewer after it. */
  readonly readyBefore?: number;
  /** Nobody keeps it: it stays unless the drain is told to delete it. */
  readonly needsForce?: true;
  /** It has waited for others too long to be counted on: its mark stays, its slot is given to the next. */
  readonly blocked?: true;
}

export const nodeDrains = defineKind<NodeDrain>("NodeDrain", "styrmann.dev/v1", "cluster");

export const DRAIN_AT_ONCE = 5;

/** How a drain fares, as `GET /styr/v1/nodes/NAME/drain` says it. */
export interface DrainReport {
  readonly node: string;
  readonly phase: DrainPhase;
  readonly by: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly deadline?: string;
  readonly note?: string;
  /** Pods that are to move: all but those that stay, and those that are deleted. */
  readonly total: number;
  readonly moved: number;
  /** Deleted with --force; nobody starts them elsewhere. */
  readonly deleted?: number;
  /** From the pace so far; absent before the first has moved and when nothing moves. */
  readonly etaSeconds?: number;
  /** `7 of 12 moved, about 40 s left`. */
  readonly summary: string;
  readonly pods: readonly DrainedPod[];
}
