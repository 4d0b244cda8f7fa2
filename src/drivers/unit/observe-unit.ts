import type { ChildContainer, UnitState } from "../../model/pod.ts";
import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import type { ContainerRun, ObservedRun } from "../driver.ts";
import { activeState, isAtRest, type ServiceState } from "./service-state.ts";

export interface UnitView {
  readonly run: ContainerRun;
  readonly service: ServiceSettings;
  readonly state: ServiceState;
  /** Why it does not load. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** Its start job waits; for what. */
  readonly waitsFor?: string | undefined;
  readonly children: readonly ChildContainer[];
}

/** A unit as its pod sees it: one run from its start, through restarts of its own, until it is at rest. */
export function observeUnit(view: UnitView): ObservedRun {
  const { run, service, state, children } = view;
  const { startedAtMs, finishedAtMs } = state;
  const runState = stateOf(view);
  const message = messageOf(view);
  return {
    ref: run.ref,
    driver: "unit",
    id: `unit://${service.name}/${run.ref.podUid}/${run.ref.attempt}`,
    state: runState,
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(runState === "exited" && finishedAtMs !== undefined ? { finishedAtMs } : {}),
    ...(runState === "exited" ? exitOf(view) : {}),
    ...(message === undefined ? {} : { message }),
    unit: { ...unitState(view), ...(message === undefined || runState === "exited" ? {} : { message }) },
    ...(children.length === 0 ? {} : { children }),
  };
}

/**
 * A unit that is only to be loaded is never "running" for its pod, even when another unit has started it as its
 * dependency: nobody asked the pod to run. A timer or socket that is to be started counts as running, doing nothing, until it is stopped.
 */
function stateOf({ run, service, state, waitsFor }: UnitView): ObservedRun["state"] {
  if (service.load !== "loaded") return "exited";
  if (run.spec.unit?.start === false) return "created";
  if (!service.isExecutable) return state.isStopAsked ? "exited" : "running";
  if (!isAtRest(state) || state.isStartAsked || waitsFor !== undefined) return "running";
  const wasNeverStarted = state.invocation === 0 && state.finishedAtMs === undefined && !state.isStopAsked;
  return wasNeverStarted ? "created" : "exited";
}

function unitState({ service, state }: UnitView): UnitState {
  return { load: service.load, active: activeState(state), sub: state.sub, result: state.result };
}

/**
 * A service that ended well by SIGTERM has exit code 0 for its pod. One that failed has the code or signal of the process
 * that made it fail, else of its main process (killed at a timeout, too many starts), else 1: no process says it.
 */
function exitOf({ service, state }: UnitView): Pick<ObservedRun, "exitCode" | "signal" | "outOfMemory"> {
  if (service.load !== "loaded") return { exitCode: 1 };
  if (state.failedEnd?.isLost) return {};
  if (state.sub === "dead") return { exitCode: 0 };
  const end = state.failedEnd ?? state.mainEnd;
  return {
    exitCode: end?.signal === undefined ? end?.code || 1 : 128 + end.signal,
    ...(end?.signal === undefined ? {} : { signal: end.signal }),
    ...(end?.outOfMemory ? { outOfMemory: true } : {}),
  };
}

/** What failed last is told until the unit is up (again). */
function messageOf({ service, state, errors, warnings, waitsFor }: UnitView): string | undefined {
  if (service.load !== "loaded") return errors.join("\n");
  if (!service.isExecutable) return warnings[0];
  if (waitsFor !== undefined) return waitsFor;
  if (state.failure === undefined || state.sub === "running" || state.sub === "exited") return undefined;
  return state.result === "success" ? state.failure : `${state.result}: ${state.failure}`;
}
