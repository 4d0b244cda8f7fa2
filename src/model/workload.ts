/**
 * A workload: what a person names when they talk about something that runs (a fleet unit, a Marathon app, a replication
 * controller, a pod of its own). It is never stored: `styr ps` derives it from what dialects declare and from pods.
 */
import type { Kind, StoredObject } from "./meta.ts";

/** The part of the store that a WorkloadSource reads. */
export interface WorkloadReader {
  get<T extends StoredObject>(kind: Kind<T>, key: string): T | undefined;
  list<T extends StoredObject>(kind: Kind<T>, namespace?: string): readonly T[];
}

/** What a dialect was asked to run, before anybody looks at what runs. */
export interface DeclaredWorkload {
  readonly dialect: string;
  /** `Unit`, `App`, `ReplicationController`, … */
  readonly kind: string;
  /** As its user wrote it: `hello@1.service`, `/shop/cart`, `web`. */
  readonly name: string;
  /** Only where the dialect has namespaces. */
  readonly namespace?: string;
  /** uid of the declaring object: pods that it controls belong to this workload. */
  readonly uid: string;
  /** Key of the declaring object in its table. */
  readonly key: string;
  /** Copies wanted now; "each node" for a workload that runs once on every node that suits it. */
  readonly desired: number | "each node";
  readonly createdAt: string;
  /** Image or command, for a workload that has no pods. */
  readonly what?: string;
  readonly canScale: boolean;
  /** An ended copy is always followed by another one: no end is the end of the workload. */
  readonly relaunch?: {
    /** From the end of a copy to the start of the next. */
    readonly delaySeconds: number;
    /** RFC 3339: copies made before it say nothing about the present configuration. */
    readonly since: string;
  };
  /** Why it runs nothing although it is there, in the dialect's words (`loaded`, `inactive`, `template`). */
  readonly note?: string;
}

/** What a personality tells `styr ps` about its own kinds. Pods are looked at by src/api, the same way for every dialect. */
export interface WorkloadSource {
  readonly dialect: string;
  /** Kinds whose changes may change what `list` gives. */
  readonly kinds: readonly Kind[];
  list(reader: WorkloadReader): readonly DeclaredWorkload[];
}

/**
 * `running` all copies ready · `degraded` some are · `starting` none yet, nothing wrong · `unplaced` no node takes it ·
 * `pending` it has never been started, because something is missing (an image), and is tried again ·
 * `lost` its node is unreachable, and nobody knows whether it runs ·
 * `restarting` it ends and is started again · `failed` it ended and stays so, or cannot be started · `stopping` on its
 * way out · `done` ran to its end · `stopped` nothing is wanted.
 */
export type WorkloadStatus =
  | "running"
  | "degraded"
  | "starting"
  | "unplaced"
  | "pending"
  | "restarting"
  | "lost"
  | "failed"
  | "stopping"
  | "done"
  | "stopped";

/** One copy of a workload. */
export interface WorkloadPod {
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly node?: string;
  readonly status: WorkloadStatus;
  readonly ready: boolean;
  readonly containers: readonly string[];
  readonly restarts: number;
  /** RFC 3339: when it came to be in this status. */
  readonly since: string;
  readonly urls: readonly string[];
  readonly error?: string;
  /** The dialect's own name of this copy (Marathon's task id). */
  readonly instance?: string;
}

/** One row of `styr ps`. */
export interface Workload {
  readonly dialect: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly desired: number;
  readonly ready: number;
  readonly status: WorkloadStatus;
  /** Sorted, each once. */
  readonly nodes: readonly string[];
  readonly since: string;
  readonly what: string;
  readonly urls: readonly string[];
  readonly error?: string;
  readonly note?: string;
  readonly pods: readonly WorkloadPod[];
  readonly canScale: boolean;
  /** The stored object behind it, for `styr inspect`. */
  readonly object: { readonly kind: string; readonly key: string };
}
