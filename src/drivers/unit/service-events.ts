/** What happens to a service, and what is done about it. */
import type { ExecCommand } from "../../model/unit/exec-line.ts";
import type { ProcessEnd, ServiceState } from "./service-state.ts";

export type ServiceEvent =
  /** A start job, or the end of a restart's wait. `refusal`: a Condition…= or Assert…= that does not hold. */
  | { readonly type: "start"; readonly invocationId: string; readonly isAutomatic?: boolean; readonly refusal?: string }
  /** `thenStart`: a restart. One event, so that nobody sees it at rest in between. */
  | { readonly type: "stop"; readonly thenStart?: boolean }
  | { readonly type: "spawned"; readonly id: string; readonly pid: number }
  /** It could not even be tried (an environment file is missing, …). */
  | { readonly type: "not-spawned"; readonly id: string; readonly message: string }
  /** `words`: what it said last, or why it could not be executed. */
  | { readonly type: "exited"; readonly id: string; readonly end: ProcessEnd; readonly words?: string }
  | { readonly type: "deadline" }
  /** Look at `ServiceView` again. */
  | { readonly type: "look" };

/** What is to be seen of the service's processes at this moment. */
export interface ServiceView {
  readonly nowMs: number;
  /** Processes in the unit's cgroup. */
  readonly pids: readonly number[];
  /** Type=forking: what its PID file, or a guess, says is the main process. */
  readonly mainPidFound?: number;
}

export type ServiceAction =
  | {
      readonly type: "spawn";
      readonly id: string;
      readonly command: ExecCommand;
      readonly isMain: boolean;
      readonly isStopping: boolean;
    }
  | { readonly type: "signal-cgroup"; readonly signal: number }
  | { readonly type: "signal-command"; readonly id: string; readonly signal: number }
  | { readonly type: "signal-pid"; readonly pid: number; readonly signal: number }
  /** Start again: send `start` with `isAutomatic`. */
  | { readonly type: "restart" };

export interface ServiceStep {
  readonly state: ServiceState;
  readonly actions: readonly ServiceAction[];
}
