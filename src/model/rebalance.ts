import { defineKind, type ObjectMeta } from "./meta.ts";

/** One copy to be started elsewhere and then stopped here. */
export interface PlannedMove {
  /** `namespace/name`. */
  readonly pod: string;
  readonly uid: string;
  readonly workload: string;
  readonly from: string;
  /** Where the scheduler's own rating would put the successor. */
  readonly to: string;
  /** In hundredths of a full node, as `styr why` rates nodes: how much better the place is. */
  readonly gain: number;
}

/** One line of the table: copies per node, before and after. */
export interface WorkloadPlan {
  readonly workload: string;
  readonly dialect: string;
  /** `hosts`, `zones` or `load`: what is evened out. */
  readonly over: "hosts" | "zones" | "load";
  /** Names of the hosts or zones that are counted, in order. */
  readonly places: readonly string[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly moves: number;
}

/** What `GET /styr/v1/rebalance/plan` answers. */
export interface RebalancePlan {
  readonly workloads: readonly WorkloadPlan[];
  /** In the order in which they are made. */
  readonly moves: readonly PlannedMove[];
  /** Moves that would also gain, beyond the budget. */
  readonly beyondBudget: number;
  /** Workloads that are uneven and stay so, each with the reason. */
  readonly left: readonly { readonly workload: string; readonly reason: string }[];
}

export type MoveState = "waiting" | "starting" | "stopping" | "done" | "skipped" | "undone";

export interface RebalanceMove extends PlannedMove {
  readonly state: MoveState;
  /** Why, in words; for one that is done, where its successor is. */
  readonly reason: string;
  /** RFC 3339. */
  readonly since: string;
  /** Ready copies of its workload when the move began: not fewer after it. */
  readonly readyBefore?: number;
}

/** The one rebalance of the cluster, the last or the present one. All its progress is in it. */
export interface Rebalance {
  readonly apiVersion: string;
  readonly kind: "Rebalance";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly by: string;
    readonly atOnce: number;
    readonly moves: readonly PlannedMove[];
    /** Who said stop. */
    readonly stoppedBy?: string;
  };
  readonly status: RebalanceStatus;
}

export interface RebalanceStatus {
  /** `failed`: something went wrong, and what was under way was called off. */
  readonly phase: "running" | "done" | "failed" | "stopped";
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly message?: string;
  readonly moves: readonly RebalanceMove[];
}

/** What `GET /styr/v1/rebalance` answers. */
export interface RebalanceReport extends RebalanceStatus {
  readonly by: string;
  readonly atOnce: number;
  readonly total: number;
  readonly done: number;
  /** `4 of 6 moved, 2 under way`. */
  readonly summary: string;
}

export const rebalances = defineKind<Rebalance>("Rebalance", "styrmann.dev/v1", "cluster");
export const REBALANCE_NAME = "cluster";
export const REBALANCE_AT_ONCE = 3;
