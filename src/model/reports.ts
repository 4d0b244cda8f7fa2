/** What our own endpoints (src/api) say and their clients (src/client, src/cli, web) read. Field by field in docs/api.md. */
import type { ClusterNetworkSpec } from "./cluster-network.ts";
import type { ClusterSettingsSpec } from "./cluster-settings.ts";
import type { DrainPhase } from "./node-drain.ts";
import type { NodeStateWord } from "./node-state.ts";
import type { Workload } from "./workload.ts";

/** One change of a watched list. `synced` follows the rows that were there at the start. */
export type RowChange<Row> =
  | { readonly type: "row"; readonly id: string; readonly row: Row }
  | { readonly type: "gone"; readonly id: string }
  | { readonly type: "synced" };

export interface NodeRow {
  readonly name: string;
  readonly status: "ready" | "not ready";
  /** How its lease has it; `not ready` when its agent itself says so; `unknown` while no server leads, because then nobody listens. */
  readonly state: NodeStateWord | "not ready" | "unknown";
  /** RFC 3339: in this state since then, where that is known. */
  readonly since?: string;
  /** It is silent, and the brake keeps its pods from being replaced. */
  readonly held?: true;
  /** What it says of itself: shown, and steers new placements away; moves nothing. */
  readonly health?: { readonly word: string; readonly message: string };
  /** Why it is not ready. */
  readonly reason?: string;
  /** What does not work of its network, and what to do. */
  readonly network?: readonly string[];
  readonly cordoned: boolean;
  /** How its drain fares, from the asking until it is uncordoned. */
  readonly drain?: DrainPhase;
  readonly address?: string;
  readonly machineId: string;
  readonly pods: number;
  readonly cpuMillis: Share;
  readonly memoryBytes: Share;
  readonly drivers: readonly { readonly name: string; readonly ready: boolean; readonly reason?: string }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly version: string;
  readonly os: string;
}

/** `asked`: the requests of the pods bound there; `allocatable`: what there is for pods. */
export interface Share {
  readonly asked: number;
  readonly allocatable: number;
}

/** What one container, process or unit takes; averages since the last reading, or over a quarter of a second. */
export interface UsageRow {
  readonly workload: string;
  readonly dialect: string;
  /** `namespace/name` of the copy. */
  readonly pod: string;
  readonly node: string;
  readonly container: string;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  /** Why it could not be asked. */
  readonly trouble?: string;
}

export interface EventRow {
  readonly id: string;
  /** RFC 3339, of the last time. */
  readonly time: string;
  readonly firstTime: string;
  readonly count: number;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** `Pod default/web-x2x4l`. */
  readonly about: string;
  /** The workload it belongs to, while that is there. */
  readonly workload?: string;
  readonly component: string;
  readonly host?: string;
}

/** One line of a container's output, without its newline. */
export interface LogLine {
  readonly pod: string;
  readonly container: string;
  readonly stream: "stdout" | "stderr";
  readonly time?: string;
  readonly line: string;
}

/** In the log stream: a copy whose output could not be read, and why. */
export interface LogTrouble {
  readonly pod: string;
  readonly container: string;
  readonly trouble: string;
}

export interface WhyReport {
  readonly workload: Workload;
  readonly summary: string;
  readonly pods: readonly WhyPod[];
  /** Commands worth trying next, best first. */
  readonly next: readonly string[];
}

export interface WhyPod {
  readonly key: string;
  /** In order of weight: where it is and why, what its containers do, what would unblock it. */
  readonly sentences: readonly string[];
  /** Node by node, or group of nodes by group, what refused it or how it scored. */
  readonly nodes: readonly string[];
  /** The newest first. */
  readonly events: readonly EventRow[];
}

/** A control-plane process. */
export interface ServerRow {
  readonly name: string;
  readonly url: string;
  readonly version: string;
  /** `silent`: the leader has not heard of it for some seconds; `unknown`: it has only just begun to listen, or none leads. */
  readonly state: "leads" | "follows" | "silent" | "unknown";
  /** RFC 3339: it leads since then. */
  readonly since?: string;
  readonly heardAgoMs?: number;
  /** How many revisions it lacked when it was heard last. */
  readonly behind?: number;
}

export interface StatusReport {
  readonly version: string;
  readonly node: string;
  readonly startedAt: string;
  /** Of the control plane, by name. */
  readonly servers?: readonly ServerRow[];
  readonly store: {
    readonly revision: number;
    /** What it is kept in: `sqlite`, or `etcd` with its members. */
    readonly place?: string;
    /** Why writes are refused at present. */
    readonly refusal?: string;
    /** Members of the store that do not answer, while enough of them may: in words. */
    readonly trouble?: string;
    readonly objects: Readonly<Record<string, number>>;
  };
  readonly nodes: {
    readonly ready: number;
    readonly total: number;
    /** How many are in each state, as `NodeRow.state`. */
    readonly states: Readonly<Record<string, number>>;
    readonly troubles: readonly string[];
  };
  /** While it holds. */
  readonly brake?: BrakeReport;
  /** The store was made from a backup, and that is not confirmed: what is held back, in words. */
  readonly restored?: string;
  readonly pods: Readonly<Record<string, number>>;
  readonly workloads: Readonly<Record<string, number>>;
  /** Pods that no node takes, by the scheduler's words, the most first; three at most. */
  readonly waiting?: readonly { readonly words: string; readonly pods: number }[];
  /** Workloads that are not as they should be, the worst first; five at most. */
  readonly troubled?: readonly TroubledWorkload[];
  /** Warnings of the last quarter of an hour, the newest first; five at most. */
  readonly warnings?: readonly RecentWarning[];
  /** Certificates of the answering server's host that end soon and have not been renewed. */
  readonly certificates?: readonly { readonly name: string; readonly endsAt: string }[];
  /** The longest delay of the event loop of late, in milliseconds. */
  readonly lagMs: number;
  readonly memoryBytes: number;
  readonly dialects: readonly string[];
}

export interface TroubledWorkload {
  readonly name: string;
  readonly status: string;
  readonly error?: string;
}

export interface RecentWarning {
  readonly reason: string;
  readonly message: string;
  /** Of those that say this, the one that said it last. */
  readonly about: string;
  readonly count: number;
  /** RFC 3339, of the last time. */
  readonly time: string;
}

/** Too many nodes fell silent at once: their pods are not replaced until enough are back or a person lets go. */
export interface BrakeReport {
  readonly since: string;
  readonly zones: readonly string[] | "cluster";
  /** Sorted. */
  readonly nodes: readonly string[];
  readonly words: string;
}

export interface BrakeReleaseReport {
  /** The silent nodes whose pods are replaced now. */
  readonly released: readonly string[];
  /** What is still held. */
  readonly brake?: BrakeReport;
}

export interface ForgetReport {
  readonly node: string;
  /** `namespace/name` of what ran there, as far as anybody knows. */
  readonly pods: readonly string[];
}

export interface SettingsReport {
  /** In force. */
  readonly settings: ClusterSettingsSpec;
  /** What a person has chosen; the rest are defaults. */
  readonly chosen: Partial<ClusterSettingsSpec>;
  /** The cluster's addresses, chosen at its first start; absent where it has no network. */
  readonly network?: ClusterNetworkSpec;
}

export interface VersionReport {
  readonly version: string;
  readonly node: string;
}

export interface InspectReport {
  readonly workload: Workload;
  /** The stored objects: the declaring one first, then its pods. */
  readonly objects: readonly object[];
}

/** An error's body: `{"error": {…}}`. */
export interface ErrorReport {
  readonly reason: string;
  readonly message: string;
  readonly causes?: readonly { readonly field: string; readonly message: string }[];
}

/**
 * Frames of `exec`: one byte of channel, then the payload. The numbers are Kubernetes' v5.channel.k8s.io, so that one
 * client speaks to both; the status is `{"exitCode": n}` or `{"message": "…"}`.
 */
export const EXEC_PROTOCOL = "v1.exec.styrmann.dev";
export const EXEC_CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;
