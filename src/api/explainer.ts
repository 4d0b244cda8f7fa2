import type { Pod } from "../model/pod.ts";

/** What the scheduler says of one pod, in sentences; app/ adapts scheduling/explain to it. */
export interface PlacementExplanation {
  /** Why here, or why nowhere. */
  readonly summary: string;
  readonly nodes: readonly string[];
  /** The smallest change that would let it run. */
  readonly suggestion?: string;
}

export type Explainer = (pod: Pod) => PlacementExplanation | undefined;
