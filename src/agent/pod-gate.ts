import type { PodRun } from "../drivers/driver.ts";
import type { Pod, PodStatus } from "../model/pod.ts";

/** A pod's way into the network of the cluster and out of it. Absent: the network is somebody else's. */
export interface PodGate {
  /**
   * Before anything of the pod is started with this address (undefined: the host's): resolves when the policies that select it are in
   * force here. Rejects in words: the pod waits, and is tried again.
   */
  coming(pod: Pod, address: string | undefined): Promise<void>;
  /** What the pod's status says from now on: a unit has containers of its own in it, which come and go when it likes. */
  seen?(pod: Pod, status: PodStatus): void;
  /**
   * Before a pod that is to be deleted is stopped: resolves when no name leads to it any more and no connected node sends it new
   * connections, or after `mostMs`. At once when none ever did. For nodes whose agents are away for a moment it waits until `mostAwayMs`.
   */
  leaving(pod: Pod, mostMs: number, mostAwayMs?: number): Promise<void>;
  /** Nothing of the pod runs any more; its address may be another's next. */
  gone(podUid: string): void;
  /** The control plane answered a heartbeat, and is to answer the next. While it does not, nobody says which nodes are gone. */
  heardControl?(heartbeatMs: number): void;
  /** Kubernetes' variables for the Services of its namespace (`enableServiceLinks`). */
  variables(pod: Pod): Readonly<Record<string, string>>;
  /** Where its containers ask for names; undefined: as the engine does it. */
  dns(pod: Pod): PodRun["dns"] | undefined;
}
