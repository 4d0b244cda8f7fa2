/**
 * What runs containers, processes and units on a node. A driver executes; it decides nothing: the pod machine in
 * agent/ says what to start and stop. Every call is idempotent ("already so" is success), and what runs is found by
 * marks on the running thing itself (labels, cgroup names), never by memory.
 */
import type { DriverReport } from "../model/node.ts";
import type { ChildContainer, Container, DriverName, UnitState } from "../model/pod.ts";
import type { PublishedPort } from "../model/published-ports.ts";
import type { ByteStream, ExecRequest, ExecSession, LogChunk, LogOptions, Usage } from "../model/streams.ts";

/** An operating failure. `temporary` ones are retried by the loop that asked; others are shown to the user as they are. */
export class DriverError extends Error {
  override readonly name = "DriverError";
  readonly temporary: boolean;
  /** Kubernetes' waiting reason where one fits: ErrImagePull, CreateContainerError, RunContainerError, … */
  readonly reason: string;
  /** Of a RunContainerError that is not temporary: the run ended before it began, with this code. Default 128. */
  readonly exitCode?: number;

  constructor(
    message: string,
    options: {
      readonly temporary: boolean;
      readonly reason: string;
      readonly exitCode?: number;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    if (options.exitCode !== undefined) this.exitCode = options.exitCode;
    this.temporary = options.temporary;
    this.reason = options.reason;
  }
}

/** Which container of which pod, and which run of it (0 = first). Together unique on a node for ever. */
export interface RunRef {
  readonly podUid: string;
  readonly container: string;
  readonly attempt: number;
}

/** The pod as its drivers need to know it. */
export interface PodRun {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Hostname inside the pod. */
  readonly hostname: string;
  readonly hostNetwork: boolean;
  /** The pod's address on the pod network; absent with hostNetwork and for drivers without containers. */
  readonly address?: string;
  /** Containers share address and IPC through an infra container; false for a pod of one container. */
  readonly sharesNamespaces: boolean;
  readonly shareProcessNamespace: boolean;
  /** What its user calls it (`hello.service`), for marks that people see. */
  readonly workload: string;
  /** The pod's published ports; with sharesNamespaces they belong to the infra container. */
  readonly ports: readonly PublishedPort[];
  readonly hostAliases: readonly { readonly ip: string; readonly hostnames: readonly string[] }[];
  /** Sees the processes of the host. */
  readonly hostPID?: boolean;
  /** There may be one of it only, anywhere: whatever it starts has to be where a guard finds it. */
  readonly exclusive?: boolean;
  /** Shares System V IPC and POSIX queues with the host. */
  readonly hostIPC?: boolean;
  /** Groups that every process of the pod is in beside its own. */
  readonly groups?: readonly number[];
  /** In place of the engine's own where not empty; options as resolv.conf has them (`ndots:2`). */
  readonly dns?: {
    readonly nameservers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
    /** Where the whole name of the host ends (`hostname -f`). */
    readonly domain?: string;
  };
  /** Kernel settings of the pod's own namespaces. */
  readonly sysctls?: Readonly<Record<string, string>>;
}

/** Everything needed to run one container once. Variables are expanded, ports assigned, volumes made. */
export interface ContainerRun {
  readonly ref: RunRef;
  readonly pod: PodRun;
  /** As the user wrote it; the fields below win over it. */
  readonly spec: Container;
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly limits: RunLimits;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  /** To be refused (CreateContainerConfigError) when its user would be root. */
  readonly runAsNonRoot?: boolean;
}

export interface Mount {
  readonly hostPath: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
}

/** Enforced through cgroups. Absent = not limited. */
export interface RunLimits {
  /** Weight against others, from the request. */
  readonly cpuRequestMillis: number;
  readonly cpuLimitMillis?: number;
  readonly memoryLimitBytes?: number;
  /** -1000…1000, for the kernel's choice when memory runs out. */
  readonly oomScoreAdjust?: number;
}

export type RunState = "created" | "running" | "exited";

/** What a driver sees of one run. */
export interface ObservedRun {
  readonly ref: RunRef;
  readonly driver: DriverName;
  /** The driver's own id: `docker://<id>`, `process://<pid>`. */
  readonly id: string;
  readonly state: RunState;
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  /** Present when exited, unless nobody saw it end: then `message` says so and it counts as a failure. */
  readonly exitCode?: number;
  readonly signal?: number;
  readonly outOfMemory?: boolean;
  /** A word for how it ended where the exit code alone does not say it (Kubernetes' StartError). */
  readonly reason?: string;
  readonly message?: string;
  readonly image?: string;
  readonly imageId?: string;
  readonly address?: string;
  /** unit driver only. */
  readonly unit?: UnitState;
  readonly children?: readonly ChildContainer[];
}

export type Progress = (message: string) => void;

export interface Driver {
  readonly name: DriverName;
  /** Whether it can run anything now, and if not, why, in words. Cheap; called often. */
  describe(): Promise<DriverReport>;
  /** Every run of ours, of any pod, in any state. Fails rather than return less than there is. */
  list(): Promise<readonly ObservedRun[]>;
  /** Makes a start possible: pulls the image, fetches files. May take long; says how far it is. */
  prepare(run: ContainerRun, options: { readonly progress?: Progress; readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Starts this run; if it is there already, gives what is there. What cannot be executed fails with RunContainerError, not temporary: the
   * agent takes that as a run that has ended.
   */
  start(run: ContainerRun): Promise<ObservedRun>;
  /** Asks it to end, and after `graceMs` kills it. Resolves when it has ended; a run that is gone has ended. */
  stop(ref: RunRef, options: { readonly graceMs: number }): Promise<void>;
  /** Takes away an ended run with its logs. Kills it first if it still runs. */
  remove(ref: RunRef): Promise<void>;
  /** Takes away what the pod as a whole had here (infra container, cgroup). After the last `remove`. */
  release(podUid: string): Promise<void>;
  /** Uids of pods that something of ours exists for, infra containers and cgroups included: what `release` would take away. */
  pods(): Promise<readonly string[]>;
  /**
   * Every run of the pod has ended for good: gives back what only a running pod needs (infra container, address, ports)
   * and keeps the ended runs with their logs until `remove`.
   */
  quiesce?(podUid: string): Promise<void>;
  /** Makes sure that the pods' network is there, for what starts containers on it by itself. Resolves in any case: what is wrong `describe` says. */
  bringNetwork?(): Promise<void>;
  /**
   * Watches over runs of which there may be one only: unless called again within `forMs`, something that outlives this
   * process kills every one of them. Each call replaces the one before; an empty list ends the watch. What is not
   * running any more is left out in silence.
   */
  guard?(refs: readonly RunRef[], forMs: number): Promise<void>;
  /**
   * Reports runs as they change, until `signal` aborts. "lost" means changes may have been missed: list again. Reconnects by itself.
   */
  watch(listener: (change: ObservedRun | "lost") => void, signal: AbortSignal): void;
  logs?(ref: RunRef, options: LogOptions): AsyncIterable<LogChunk>;
  exec?(ref: RunRef, request: ExecRequest): Promise<ExecSession>;
  /** Connects to a TCP port of the run, at the address that others on this host reach it at. Not temporary when nobody listens there. */
  connect?(ref: RunRef, port: number): Promise<ByteStream>;
  /**
   * Runs a command to its end for a probe or a hook; output cut to 4 KiB. Fails temporarily when it could not be asked,
   * which says nothing of the container; not temporarily when it does not end in time, though the driver is well.
   */
  probe?(
    ref: RunRef,
    command: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly exitCode: number; readonly output: string }>;
  usage?(ref: RunRef): Promise<Usage | undefined>;
}
