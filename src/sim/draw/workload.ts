/** A workload as its user sees it: requests in its dialect. */
import type { SimRequest } from "../contract.ts";

export interface Workload {
  readonly dialect: "fleet" | "marathon" | "kubernetes";
  /** As its dialect names it; unique within a plan. */
  readonly name: string;
  readonly isExclusive: boolean;
  readonly create: readonly SimRequest[];
  /** To so many copies; absent where the dialect has no such word for it. */
  readonly scale?: (copies: number) => SimRequest;
  /** The `nth` new version of it. */
  readonly update?: (nth: number) => SimRequest;
  /** Other things its user may ask for: a restart, killing a task, stopping a unit. */
  readonly more?: readonly SimRequest[];
  readonly remove: readonly SimRequest[];
}

/** A program of the fake driver (drivers/fake/scripted.ts). */
export const PROGRAMS = [
  [60, "fake/run"],
  [10, "fake/stubborn"],
  [7, "fake/slow:after-4s"],
  [3, "fake/slow:after-40s"],
  [5, "fake/exit-1:after-20s"],
  [3, "fake/exit-1:after-0ms"],
  [3, "fake/oom:after-30s"],
  [3, "fake/exit-0:after-15s"],
  [2, "fake/missing"],
  [2, "fake/broken"],
] as const;
