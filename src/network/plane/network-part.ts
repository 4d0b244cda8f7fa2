/** One thing that a node does with what it was told: routes to other nodes, rules, names, the way in. */
import type { PeerLink } from "../../model/network-report.ts";
import type { BackendStats } from "../way-in/stats.ts";
import type { NetworkState } from "./network-state.ts";
import type { Touched } from "./touched.ts";

export interface NetworkPart {
  /** For logs and reports: `pod network`, `services`, `policies`, `names`, `way in`. */
  readonly name: string;
  /** A pod is not started before this part has applied its coming: policies. Others catch up while it starts. */
  readonly isGate?: true;
  /**
   * Brings this host in line with the state: what `touched` names, or everything. Idempotent. Rejects in words when it could not:
   * it is asked again, with the same and what came since. Called once at a time.
   */
  apply(state: NetworkState, touched: Touched): Promise<void>;
  /** Looks at the host now instead of at its next time, and mends what is not as it should be: somebody asks how it is. Says what it found in `report`. */
  lookAgain?(): Promise<void>;
  /** The agent ends, and what this part has made goes on working without it. */
  stop(): Promise<void>;
  /** Takes everything away that it has made on this host. Idempotent, also when it was never started here. */
  remove(): Promise<void>;
  /** How it stands, for `styr network status`; absent words: all is well. */
  report(): PartReport;
}

export interface PartReport {
  readonly state: "working" | "failing" | "off";
  /** Why it is failing or off, and what to do. */
  readonly words?: string;
  readonly facts?: Readonly<Record<string, string | number>>;
  /** Of the pod network: how each other node is reached, sorted by name. */
  readonly peers?: readonly PeerLink[];
  /** Of the way in: hosts whose certificate is not to be had here, and why. */
  readonly hostTroubles?: Readonly<Record<string, string>>;
  /** Of the way in: hosts with routes that are not served here, and why. */
  readonly lateHosts?: Readonly<Record<string, string>>;
  /** Of the way in: routes (routeKey) of which some server is none, and why. */
  readonly routeTroubles?: Readonly<Record<string, string>>;
  /** Of the way in: requests of each route's backend, as they were counted last. */
  readonly traffic?: readonly BackendStats[];
}
