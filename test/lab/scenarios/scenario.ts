import type { LabCluster } from "../harness/lab-cluster.ts";
import type { Measured } from "../harness/measured.ts";

/** What each scenario is given: the cluster that all of them share, and where its figures go. */
export interface Scene {
  readonly cluster: LabCluster;
  readonly measured: Measured;
  /** `npm run lab -- --full`: faults last as long as the requirement says, not as long as a test run bears. */
  readonly isFull: boolean;
}

/** The workload that is there all the time, two copies on each host: what no fault may touch unless its host is lost. */
export const STEADY = "steady";
