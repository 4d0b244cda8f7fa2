import type { UnitState } from "../../model/pod.ts";

/** systemd's words for where a service is (SubState), with the ActiveState that each belongs to. Source: systemd src/basic/unit-def.c. */
export const ACTIVE_STATE = {
  dead: "inactive",
  condition: "activating",
  "start-pre": "activating",
  start: "activating",
  "start-post": "activating",
  running: "active",
  exited: "active",
  stop: "deactivating",
  "stop-sigterm": "deactivating",
  "stop-sigkill": "deactivating",
  "stop-post": "deactivating",
  "final-sigterm": "deactivating",
  "final-sigkill": "deactivating",
  failed: "failed",
  "auto-restart": "activating",
} as const satisfies Record<string, UnitState["active"]>;

export type SubState = keyof typeof ACTIVE_STATE;

/** Why a service ended, systemd's Result. `success` while nothing went wrong. */
export type ServiceResult =
  | "success"
  | "exit-code"
  | "signal"
  | "core-dump"
  | "oom-kill"
  | "timeout"
  | "protocol"
  | "resources"
  | "start-limit-hit"
  | "exec-condition";

const STARTS = ["condition", "start-pre", "start", "start-post", "exited"] as const;
/** Each of these is left out when there is nobody to signal, or nothing to run. */
const ENDS = ["stop-sigterm", "stop-sigkill", "stop-post", "final-sigterm", "final-sigkill", "dead", "failed"] as const;

/** The moves a service may make. docs/states.md shows this table. */
export const SERVICE_MOVES: Readonly<Record<SubState, readonly SubState[]>> = {
  dead: [...STARTS, "auto-restart", "failed"],
  condition: [...STARTS.slice(1), ...ENDS],
  "start-pre": [...STARTS.slice(2), ...ENDS],
  start: ["start-post", "running", "exited", "stop", ...ENDS],
  "start-post": ["running", "exited", "stop", ...ENDS],
  running: ["exited", "stop", ...ENDS],
  exited: ["stop", ...ENDS],
  stop: ENDS,
  "stop-sigterm": ENDS.slice(1),
  "stop-sigkill": ENDS.slice(2),
  "stop-post": ENDS.slice(3),
  "final-sigterm": ENDS.slice(4),
  "final-sigkill": ENDS.slice(5),
  failed: [...STARTS, "auto-restart", "dead"],
  "auto-restart": [...STARTS, "dead", "failed"],
};

/** The lists of commands a service goes through. */
export type CommandList =
  | "execCondition"
  | "execStartPre"
  | "execStart"
  | "execStartPost"
  | "execStop"
  | "execStopPost";

/** A command that is running, or about to. `id` is unique for the run: `<invocation>.start-pre.0`. */
export interface RunningCommand {
  readonly id: string;
  readonly list: CommandList;
  readonly index: number;
  /** Absent until it has been started. */
  readonly pid?: number;
}

/** The process that is the service. One found by its pid (Type=forking) has no command: how it ends is not seen. */
export interface MainProcess {
  readonly pid?: number;
  readonly command?: RunningCommand;
}

export interface ProcessEnd {
  readonly code?: number;
  readonly signal?: number;
  readonly dumpedCore?: boolean;
  /** The kernel killed it for memory. */
  readonly outOfMemory?: boolean;
  /** Nobody saw it. */
  readonly isLost?: boolean;
}

/** All that is known of one service; plain data, written to a file after every move. Times are wall time: they must outlive the program. */
export interface ServiceState {
  readonly sub: SubState;
  readonly result: ServiceResult;
  /** How often it has been started: part of every process id. */
  readonly invocation: number;
  /** $INVOCATION_ID: 32 hexadecimal digits. */
  readonly invocationId: string;
  readonly main?: MainProcess;
  readonly control?: RunningCommand;
  /** How the main process of this start ended. */
  readonly mainEnd?: ProcessEnd;
  /** The end that made `result` what it is: a main process', or a failed command's. */
  readonly failedEnd?: ProcessEnd;
  /** What went wrong, in words. */
  readonly failure?: string;
  readonly deadlineMs?: number;
  /** systemd's rate limit: starts counted since a moment. */
  readonly startLimit?: { readonly sinceMs: number; readonly count: number };
  /** Restarts by Restart= since the last start that was asked for. */
  readonly restarts: number;
  /** A stop was asked for: Restart= does not apply. */
  readonly isStopAsked: boolean;
  /** A start was asked for while it was stopping. */
  readonly isStartAsked: boolean;
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
}

export const UNSTARTED: ServiceState = {
  sub: "dead",
  result: "success",
  invocation: 0,
  invocationId: "",
  restarts: 0,
  isStopAsked: false,
  isStartAsked: false,
};

export function activeState(state: ServiceState): UnitState["active"] {
  return ACTIVE_STATE[state.sub];
}

/** Neither running nor about to. */
export function isAtRest({ sub }: ServiceState): boolean {
  return sub === "dead" || sub === "failed";
}

/** Nothing tells when these end, so somebody must look: a main process that is no child, an empty cgroup, a PID file. */
export function needsLooking(state: ServiceState): boolean {
  const { sub, main, control } = state;
  if (main && !main.command) return true;
  if (main || control) return false;
  return sub === "start" || sub === "running" || sub.endsWith("-sigterm") || sub.endsWith("-sigkill");
}

/** A service whose node went down: its processes are gone, and nobody saw them end. */
export function endedWithHost(state: ServiceState, nowMs: number): ServiceState {
  if (isAtRest(state)) return state;
  const { invocation, invocationId } = state;
  const failure = "the host was restarted while it ran";
  return { ...UNSTARTED, invocation, invocationId, failedEnd: { isLost: true }, failure, finishedAtMs: nowMs };
}
