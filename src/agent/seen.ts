/** What an agent knows of one pod: the machine's input. Times are of the monotonic clock unless a name says wall. */

import type { ObservedRun } from "../drivers/driver.ts";
import type { DriverReport } from "../model/node.ts";
import { type Container, type DriverName, driverOf, type HealthResult, type Pod } from "../model/pod.ts";
import { needsPodNetwork } from "../model/pod-network-need.ts";

/** How far a pod has come on its node; never goes back. STAGE_MOVES in pod-machine.ts is the law. */
export type Stage =
  | "assigned"
  | "admitted"
  | "equipped"
  | "initializing"
  | "running"
  | "finishing"
  | "finished"
  | "stopping"
  | "removing"
  | "gone";

/** How a pod ended, or why it was not let in. */
export interface Outcome {
  readonly phase: "Succeeded" | "Failed";
  readonly reason?: string;
  readonly message?: string;
}

/** Something that did not work and will be tried again. */
export interface Trouble {
  readonly reason: string;
  readonly message: string;
  /** How often in a row. */
  readonly count: number;
  readonly retryAtMs: number;
}

type ContainerBusy = "preparing" | "starting" | "hooking" | "stopping" | "removing";

/** Why a running container has to end, and what comes after its end. */
export interface Kill {
  readonly why: string;
  /** policy: the pod's restartPolicy decides. restart: always, and not counted as a crash. */
  readonly after: "policy" | "restart";
  /** The fence did it: not counted as a restart either. */
  readonly isFence?: boolean;
}

export interface ContainerSeen {
  /** The run that is or was last; with no `run`, the one that comes next. */
  readonly attempt: number;
  readonly run?: ObservedRun;
  /** The run before, kept for its logs. */
  readonly previous?: ObservedRun;
  /** Attempts from before that one, to be taken away. */
  readonly old: readonly number[];
  /** Older attempts that still run: they go before anything else happens. */
  readonly strays: readonly number[];
  readonly busy?: ContainerBusy;
  /** While stopping: when its grace ends. */
  readonly stopByMs?: number;
  /** The image that was made ready. */
  readonly preparedImage?: string;
  /** The attempt it was made ready for. */
  readonly preparedAttempt?: number;
  /** Something may have been started; stays until it is known to be gone. */
  readonly wasStarted: boolean;
  /** What a pull is doing, in the driver's words. */
  readonly progress?: string;
  readonly trouble?: Trouble;
  /** How many of the attempts before ended by the fence. */
  readonly fences?: number;
  /** Ends in a row that count towards the backoff. */
  readonly crashes: number;
  /** After an end: when it may start again. */
  readonly retryAtMs: number;
  /** The image that the present run was started with. */
  readonly startedImage?: string;
  /** What its driver was last asked by this agent, with success: not to be asked again. */
  readonly asked?: { readonly attempt: number; readonly loadOnly: boolean };
  readonly postStarted: boolean;
  readonly kill?: Kill;
  /** The host went down under it. */
  readonly interrupted?: boolean;
  readonly started: boolean;
  readonly ready: boolean;
  readonly health?: readonly HealthResult[];
}

/** A driver as the agent finds it; `listed` once the agent knows all that it runs. Nothing is started before that. */
export interface DriverSeen extends DriverReport {
  readonly listed: boolean;
}

export interface PodSeen {
  readonly stage: Stage;
  readonly admission?: "yes" | { readonly reason: string; readonly message: string };
  readonly equipped: boolean;
  /** Nothing of it runs, and its drivers have given back what only running pods need. */
  readonly quiesced: boolean;
  /** Others may find it by names and services, it is being taken out of them, or nobody is sent to it any more. Absent: nobody ever was. */
  readonly gate?: "in" | "leaving" | "left";
  readonly released: boolean;
  readonly busy?: "admitting" | "equipping" | "quiescing" | "releasing";
  readonly trouble?: Trouble;
  readonly outcome?: Outcome;
  /** Somebody wants it away, by then. */
  readonly goodbye?: { readonly graceMs: number; readonly byMs: number };
  /** There may be one of this pod only, and now it may not be started here; with `stopByMs`, what runs of it has to have ended by then. */
  readonly fence?: { readonly words: string; readonly stopByMs?: number };
  /** activeDeadlineSeconds as a moment. */
  readonly deadlineMs?: number;
  readonly drivers: Readonly<Partial<Record<DriverName, DriverSeen>>>;
  readonly containers: Readonly<Record<string, ContainerSeen>>;
}

export const NEW_CONTAINER: ContainerSeen = {
  attempt: 0,
  old: [],
  strays: [],
  crashes: 0,
  retryAtMs: 0,
  wasStarted: false,
  postStarted: false,
  started: false,
  ready: false,
};

/** A pod just assigned, nothing done yet. */
export function newlySeen(pod: Pod): PodSeen {
  const names = allContainers(pod).map(({ name }) => [name, NEW_CONTAINER] as const);
  return {
    stage: "assigned",
    equipped: false,
    quiesced: false,
    released: false,
    drivers: {},
    containers: Object.fromEntries(names),
  };
}

export function allContainers(pod: Pod): readonly Container[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
}

/** An init container that keeps running beside the others (Kubernetes: restartPolicy Always on it). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

export function sidecarsOf(pod: Pod): readonly Container[] {
  return (pod.spec.initContainers ?? []).filter(isSidecar);
}

/** How the control plane says that the pod ended. */
export function outcomeOf({ status: { phase, reason, message } }: Pod): Outcome {
  return {
    phase: phase === "Succeeded" ? "Succeeded" : "Failed",
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

export function containerSeen(seen: PodSeen, name: string): ContainerSeen {
  return seen.containers[name] ?? NEW_CONTAINER;
}

/** A unit that fleet wants loaded but not started. */
export function isLoadOnly(container: Container): boolean {
  return container.unit?.start === false;
}

/** Whether the driver has been told about this run what is wanted of it now. */
export function isAsked(container: Container, { asked, attempt }: ContainerSeen): boolean {
  return asked !== undefined && asked.attempt === attempt && asked.loadOnly === isLoadOnly(container);
}

/** Why this container cannot be started although its driver runs what runs: stopping needs no network. */
export function networkTrouble(pod: Pod, seen: PodSeen, container: Container): string | undefined {
  const trouble = seen.drivers[driverOf(container)]?.network;
  return trouble !== undefined && needsPodNetwork(pod, container) ? trouble : undefined;
}

/** Why nothing can be started with this container's driver now; undefined when it can. */
export function driverTrouble(seen: PodSeen, container: Container): string | undefined {
  const name = driverOf(container);
  const driver = seen.drivers[name];
  if (driver === undefined) return `this node has no ${name} driver`;
  if (!driver.ready) return driver.reason ?? `the ${name} driver is not ready`;
  return driver.listed ? undefined : `looking at what the ${name} driver runs already`;
}
