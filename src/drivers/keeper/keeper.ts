/**
 * The keeper is the parent of every process that runs on a node without a container. It is a small program of its own,
 * so that what it started outlives styr, and so that the next styr learns how each process ended.
 */
import type { ExecRequest, ExecSession } from "../../model/streams.ts";

export interface ResourceLimit {
  readonly soft: number | "unlimited";
  readonly hard: number | "unlimited";
}

/** What a process may do and be; shared by what is kept and what is only run once (`exec`). */
export interface ProcessContext {
  /** Complete: nothing of the keeper's own environment is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** A name or a number, resolved when it starts; an unknown one ends it with 217. Wins over `uid`. */
  readonly user?: string;
  /** A name or a number; an unknown one ends it with 216. Wins over `gid`. Default: the user's own group. */
  readonly group?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Supplementary groups of the user, as at a login; without it there are none. */
  readonly initGroups?: boolean;
  /** By prlimit's names: nofile, nproc, core, … */
  readonly rlimits?: Readonly<Record<string, ResourceLimit>>;
  /** -1000…1000; 0 when absent. */
  readonly oomScoreAdjust?: number;
  readonly nice?: number;
  /** 0o022 when absent. */
  readonly umask?: number;
  /** Relative to the node's root cgroup: `<podUid>/<container>`. Made without limits when it is not there. */
  readonly cgroup: string;
}

/** One process the keeper starts and outlives styr with. */
export interface ProcessSpec extends ProcessContext {
  /** Unique for ever on the node: `<podUid>/<container>/<attempt>/<role>`; role is `main`, `start-pre.0`, `stop.3`, … */
  readonly id: string;
  /** `argv[0]` is the file to execute: absolute, or looked up in `env.PATH`. */
  readonly argv: readonly string[];
  /** What the process sees as its `argv[0]` (systemd's `@`). */
  readonly argv0?: string;
  /** `stdout.log` and `stderr.log` are appended to and rotated there. Several processes may share one. */
  readonly logDir: string;
  /** Bound for all files of `logDir` together. Default 10 MiB. */
  readonly logBytes?: number;
  /** "always": started again (after 1 s, doubling to 30 s) until it is signalled through the keeper. For daemons of styr's own. */
  readonly restart?: "always";
}

export interface ProcessInfo {
  readonly id: string;
  /** 0 when it could not be executed. */
  readonly pid: number;
  readonly state: "running" | "exited";
  readonly cgroup: string;
  readonly logDir: string;
  readonly startedAtMs: number;
  readonly exitedAtMs?: number;
  /** Neither this nor `signal` when nobody saw it end: then it is `lost`. */
  readonly exitCode?: number;
  readonly signal?: number;
  /** It ended while no keeper was there to see it, or with the machine. */
  readonly lost?: boolean;
  /** The kernel killed something in its cgroup for memory while it ran, and it ended by SIGKILL. */
  readonly outOfMemory?: boolean;
  /** It could not be executed, in words. `exitCode` is systemd's: 200 cwd, 203 file, 216 group, 217 user. */
  readonly error?: string;
  /** How often `restart` has started it again. */
  readonly restarts?: number;
}

export interface ExecSpec extends ProcessContext {
  readonly argv: readonly string[];
}

/** Every call is idempotent and fails with a temporary DriverError when no keeper can be reached. */
export interface Keeper {
  /** Starts it; when the id is known already, running or ended, gives what is there. */
  spawn(spec: ProcessSpec): Promise<ProcessInfo>;
  /** Sorted by id; with `prefix` those whose ids begin so. Without it the answer is large: not for questions about one run. */
  list(prefix?: string): Promise<readonly ProcessInfo[]>;
  /** Undefined when it has no record of it. */
  get(id: string): Promise<ProcessInfo | undefined>;
  /** The keeper's own pid: the cheapest way to learn that it answers. */
  pid(): Promise<number>;
  /** Signals the process alone; one that is gone has been signalled. */
  signal(id: string, signal: number): Promise<void>;
  /** Signals every process in the cgroup and below. SIGKILL resolves when all are gone; nothing new escapes it. */
  signalCgroup(cgroup: string, signal: number): Promise<void>;
  /** Every process in it and below, ascending. Empty when there is no such cgroup. */
  cgroupPids(cgroup: string): Promise<readonly number[]>;
  /** Kills what is in it, then removes it and all below. */
  removeCgroup(cgroup: string): Promise<void>;
  /**
   * Unless called again for this owner within `forMs`, everything in these cgroups (paths below a hierarchy's mount,
   * within the keeper's root) is killed, and nothing is started there. Fails, not temporarily, with an older keeper.
   */
  guard(owner: string, cgroups: readonly string[], forMs: number): Promise<void>;
  /** Drops an ended process' record (its log files stay). Fails while it runs. */
  forget(id: string): Promise<void>;
  /** Every start and end from now on; "lost" = list again. Reconnects by itself until `signal` aborts. */
  watch(listener: (info: ProcessInfo | "lost") => void, signal: AbortSignal): void;
  /** Runs a command that lives and dies with the session; its output is not logged. With `tty` on a pseudo-terminal. */
  exec(spec: ExecSpec, request: Omit<ExecRequest, "command">): Promise<ExecSession>;
}
