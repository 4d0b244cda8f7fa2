/**
 * Pods that are to be replaced, in the order in which they become due, let through at the pace that is allowed for the
 * cluster and for each workload. A workload that has used up its share waits without holding up the others.
 */
import { Heap } from "../../lib/heap.ts";
import { type BucketRules, TokenBucket } from "../../lib/token-bucket.ts";
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";

export interface Move {
  readonly node: string;
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  /** What the limit of a workload counts by: the uid of the pod's controller. */
  readonly workload: string;
  readonly dueMs: number;
  readonly exclusive: boolean;
}

interface Lane {
  readonly workload: string;
  readonly bucket: TokenBucket;
  readonly waiting: Heap<Move>;
  /** The turn that counts; others of it in the heap are left over. */
  turn: Turn | undefined;
}

interface Turn {
  readonly atMs: number;
  readonly order: number;
  readonly lane: Lane;
}

/** Above so many, workloads that have rested long enough are forgotten. */
const LANES = 1000;

export type MoveLimits = Pick<
  ClusterSettingsSpec,
  "movesBurst" | "movesPerSecond" | "workloadMovesBurst" | "workloadMovesPerSecond"
>;

export class MoveQueue {
  readonly #lanes = new Map<string, Lane>();
  /** One turn for each lane in which something waits. */
  readonly #turns = new Heap<Turn>((a, b) => (a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs));
  readonly #queued = new Set<string>();
  readonly #cluster: TokenBucket;
  #order = 0;

  constructor(limits: MoveLimits, nowMs: number) {
    this.#cluster = new TokenBucket(clusterRules(limits), nowMs);
  }

  get size(): number {
    return this.#queued.size;
  }

  /** How many it remembers: those in which something waits, and those whose share is not whole yet. */
  get workloads(): number {
    return this.#lanes.size;
  }

  /** Once per pod, however often it is added. */
  add(move: Move, nowMs: number, limits: MoveLimits): void {
    if (this.#queued.has(move.uid)) return;
    this.#queued.add(move.uid);
    const lane = this.#laneOf(move.workload, nowMs, limits);
    lane.waiting.push(move);
    if (lane.waiting.peek() === move) this.#giveTurn(lane, limits);
  }

  /** What may be moved now; it cannot be added again until it is `done`. `isWanted` drops what has become void, without spending anything on it. */
  take(nowMs: number, limits: MoveLimits, isWanted: (move: Move) => boolean): readonly Move[] {
    const taken: Move[] = [];
    for (let turn = this.#turns.peek(); turn !== undefined && turn.atMs <= nowMs; turn = this.#turns.peek()) {
      const { lane } = turn;
      const next = lane.turn === turn ? lane.waiting.peek() : undefined;
      if (next && isWanted(next)) {
        if (!this.#cluster.take(clusterRules(limits), nowMs)) break;
        lane.bucket.take(laneRules(limits), nowMs);
        taken.push(next);
      }
      this.#turns.pop();
      if (!next) continue;
      if (taken.at(-1) !== next) this.#queued.delete(next.uid);
      lane.waiting.pop();
      this.#giveTurn(lane, limits);
    }
    return taken;
  }

  done(moves: readonly Move[]): void {
    for (const { uid } of moves) this.#queued.delete(uid);
  }

  /** The limits have changed. */
  retime(limits: MoveLimits): void {
    for (const lane of this.#lanes.values()) this.#giveTurn(lane, limits);
  }

  /** When `take` is to be asked again. */
  nextMs(limits: MoveLimits): number | undefined {
    const turn = this.#turns.peek();
    return turn && Math.max(turn.atMs, this.#cluster.readyMs(clusterRules(limits)));
  }

  #laneOf(workload: string, nowMs: number, limits: MoveLimits): Lane {
    const known = this.#lanes.get(workload);
    if (known) return known;
    this.#forgetRested(nowMs, limits);
    const waiting = new Heap<Move>((a, b) => (a.dueMs === b.dueMs ? a.key < b.key : a.dueMs < b.dueMs));
    const lane = { workload, bucket: new TokenBucket(laneRules(limits), nowMs), waiting, turn: undefined };
    this.#lanes.set(workload, lane);
    return lane;
  }

  #forgetRested(nowMs: number, limits: MoveLimits): void {
    if (this.#lanes.size < LANES) return;
    for (const [workload, { waiting, bucket }] of this.#lanes) {
      if (waiting.size === 0 && bucket.isFull(laneRules(limits), nowMs)) this.#lanes.delete(workload);
    }
  }

  #giveTurn(lane: Lane, limits: MoveLimits): void {
    const next = lane.waiting.peek();
    lane.turn = undefined;
    if (next === undefined) return;
    const atMs = Math.max(next.dueMs, lane.bucket.readyMs(laneRules(limits)));
    if (!Number.isFinite(atMs)) return;
    lane.turn = { atMs, order: this.#order++, lane };
    this.#turns.push(lane.turn);
  }
}

function clusterRules({ movesBurst, movesPerSecond }: MoveLimits): BucketRules {
  return { burst: movesBurst, perSecond: movesPerSecond };
}

function laneRules({ workloadMovesBurst, workloadMovesPerSecond }: MoveLimits): BucketRules {
  return { burst: workloadMovesBurst, perSecond: workloadMovesPerSecond };
}
