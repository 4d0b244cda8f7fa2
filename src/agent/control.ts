/** What an agent needs of a control plane. In one process app/ gives it the store; over a network it is a connection. */

import type { ClusterNews } from "../model/cluster-news.ts";
import type { Goodbye, Heartbeat, HeartbeatAnswer } from "../model/heartbeat.ts";
import type { Draft } from "../model/meta.ts";
import type { NetworkNews } from "../model/network.ts";
import type { Node } from "../model/node.ts";
import type { Pod, PodStatus } from "../model/pod.ts";

export interface PodReport {
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  /** The pod as its agent sees it; "gone" when a pod whose deletion was asked for has stopped and left nothing. */
  readonly status: PodStatus | "gone";
}

export interface NodeEvent {
  readonly podKey: string;
  readonly podUid: string;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export type Assignments =
  /** Everything bound to this node, at the start and whenever changes may have been missed. */
  | {
      readonly type: "all";
      readonly pods: readonly Pod[];
      /** The store has been restored to an older state: what runs and is not listed goes on running until somebody says what is meant. */
      readonly keepsUnknown?: true;
    }
  | {
      readonly type: "changed";
      readonly pods: readonly Pod[];
      readonly removed: readonly { readonly key: string; readonly uid: string }[];
    };

/** As model/network-shelves.ts makes them; undefined where it is not worth it, or has changed meanwhile. Nothing may change from then on but by what is heard. */
export type NetworkHas = () => Promise<string | undefined>;

export interface Control {
  /** Creates or updates this node's object. */
  registerNode(node: Draft<Node>): Promise<void>;
  /** Pods bound to the node, now and as they change. Reconnects by itself; `listener` is called one batch at a time. */
  watchPods(nodeName: string, listener: (assignments: Assignments) => void, signal: AbortSignal): void;
  /** Writes what the agent sees. Rejects when the control plane cannot take it now: report again. */
  report(reports: readonly PodReport[], events: readonly NodeEvent[]): Promise<void>;
  /** Values of a Secret or ConfigMap; undefined when there is none. */
  keyValues(
    kind: "Secret" | "ConfigMap",
    namespace: string,
    name: string,
  ): Promise<Readonly<Record<string, string>> | undefined>;
  /**
   * Says that the node lives. Rejects when nobody answered; with a LinkError that is `refused` when the control plane's
   * host answered that it does not run.
   */
  heartbeat(beat: Heartbeat): Promise<HeartbeatAnswer>;
  /** What a node has to know of the cluster to find it again, now and as it changes. Absent where there is nothing to find. */
  watchCluster?(listener: (news: ClusterNews) => void, signal: AbortSignal): void;
  /**
   * The network of the whole cluster, now and as it changes; begins with "all", and again after a gap. Absent where there is none.
   * `has`: digests of what the listener has already, asked for before "all" comes, which then may leave out what is the same.
   */
  watchNetwork?(listener: (news: NetworkNews) => void, signal: AbortSignal, has?: NetworkHas): void;
  /** This node's rules are those of this revision, as counted since the last "all". Best effort: said again with the next one. */
  networkApplied?(revision: number): void;
  /** Says that the agent goes away for a while, so that nothing of it is moved. Best effort. */
  goodbye(goodbye: Goodbye): Promise<void>;
}
