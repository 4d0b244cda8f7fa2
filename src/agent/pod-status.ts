import type { ObservedRun } from "../drivers/driver.ts";
import type { Condition, Container, ContainerState, ContainerStatus, Pod, PodPhase, PodStatus } from "../model/pod.ts";
import { rfc3339 } from "../seams/clock.ts";
import { qosClassOf } from "./quality-of-service.ts";
import { restartDelayMs, restartVerdict } from "./restart-rules.ts";
import {
  allContainers,
  type ContainerSeen,
  containerSeen,
  driverTrouble,
  isAsked,
  isLoadOnly,
  isSidecar,
  type PodSeen,
} from "./seen.ts";

export interface StatusContext {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly hostIP: string;
  readonly podIP?: string;
  /** What was reported last; phases and transition times go on from it. */
  readonly before?: PodStatus;
}

/** The pod as people and controllers see it. Pure. */
export function statusOf(pod: Pod, seen: PodSeen, context: StatusContext): PodStatus {
  const init = (pod.spec.initContainers ?? []).map((container) => containerStatus(pod, container, seen, context, true));
  const main = pod.spec.containers.map((container) => containerStatus(pod, container, seen, context, false));
  const phase = phaseOf(pod, seen, context.before?.phase);
  const podIP =
    context.podIP ??
    allContainers(pod)
      .map(({ name }) => containerSeen(seen, name).run?.address)
      .find(Boolean);
  return {
    phase,
    conditions: conditionsOf(pod, seen, phase, init, main, context),
    ...(seen.outcome ? outcomeWords(seen.outcome) : pendingWords(pod, seen, phase)),
    hostIP: context.hostIP,
    ...(podIP === undefined || phase === "Succeeded" || phase === "Failed" ? {} : { podIP, podIPs: [{ ip: podIP }] }),
    startTime: context.before?.startTime ?? rfc3339(context.wallMs),
    qosClass: qosClassOf(pod),
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: main,
  };
}

function outcomeWords({ reason, message }: { readonly reason?: string; readonly message?: string }) {
  return { ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
}

/** The first thing that keeps a pending pod from running. */
function pendingWords(pod: Pod, seen: PodSeen, phase: PodPhase): { reason?: string; message?: string } {
  if (phase !== "Pending") return {};
  if (seen.trouble) return { reason: seen.trouble.reason, message: seen.trouble.message };
  for (const container of allContainers(pod)) {
    const c = containerSeen(seen, container.name);
    if (c.trouble) return { reason: c.trouble.reason, message: c.trouble.message };
    const blocked = c.run === undefined ? driverTrouble(seen, container) : undefined;
    if (blocked !== undefined && seen.stage !== "assigned") return { reason: "DriverNotReady", message: blocked };
    if (c.progress !== undefined && c.busy === "preparing") return { message: c.progress };
  }
  return {};
}

/** Kubernetes' getPhase: Running once every container has been started; never back. */
function phaseOf(pod: Pod, seen: PodSeen, before: PodPhase | undefined): PodPhase {
  const over = !["assigned", "admitted", "equipped", "initializing", "running", "finishing"].includes(seen.stage);
  if (seen.outcome && over) return seen.outcome.phase;
  if (before === "Running" || before === "Succeeded" || before === "Failed") return before;
  const allStarted = pod.spec.containers.every(({ name }) => {
    const c = containerSeen(seen, name);
    return c.run !== undefined || c.previous !== undefined;
  });
  return allStarted ? "Running" : "Pending";
}

function containerStatus(
  pod: Pod,
  container: Container,
  seen: PodSeen,
  context: StatusContext,
  init: boolean,
): ContainerStatus {
  const c = containerSeen(seen, container.name);
  const { state, lastState } = statesOf(pod, container, seen, c, context, init);
  const run = c.run ?? c.previous;
  const unitActive = c.run?.unit === undefined || c.run.unit.active === "active" || c.run.unit.active === "reloading";
  const isRunning = state.running !== undefined;
  const isDone = init && !isSidecar(container) && state.terminated?.exitCode === 0;
  return {
    name: container.name,
    state,
    ...(lastState === undefined ? {} : { lastState }),
    ready: isDone || (isRunning && c.ready && unitActive),
    started: isRunning && c.started,
    restartCount: c.attempt,
    image: container.image ?? run?.image ?? "",
    imageID: run?.imageId ?? "",
    ...(run === undefined ? {} : { containerID: run.id }),
    ...(c.health === undefined ? {} : { healthResults: c.health }),
    ...(run?.unit === undefined ? {} : { unit: run.unit }),
    ...(run?.children === undefined ? {} : { children: run.children }),
  };
}

interface States {
  readonly state: ContainerState;
  readonly lastState?: ContainerState;
}

function statesOf(
  pod: Pod,
  container: Container,
  seen: PodSeen,
  c: ContainerSeen,
  context: StatusContext,
  init: boolean,
): States {
  const run = c.run;
  const last = c.previous ? { lastState: terminated(c.previous) } : {};
  if (run?.state === "running") return { state: running(run, context), ...last };
  if (run?.state === "created" && !c.trouble && (isLoadOnly(container) || isAsked(container, c))) {
    return { state: waiting("Loaded", run.message), ...last };
  }
  if (run?.state !== "exited") return { state: waitingState(pod, seen, container, c, init), ...last };
  if (["finishing", "finished", "stopping", "removing", "gone"].includes(seen.stage))
    return { state: terminated(run), ...last };
  if (!restartVerdict(pod, container, c, init).again) return { state: terminated(run), ...last };
  const lastState = terminated(run);
  if (c.retryAtMs > context.nowMs) return { state: crashLoop(pod, container, c), lastState };
  if (c.trouble || c.busy) return { state: waitingState(pod, seen, container, c, init), lastState };
  const blocked = driverTrouble(seen, container);
  return blocked === undefined
    ? { state: terminated(run), ...last }
    : { state: waiting("DriverNotReady", blocked), lastState };
}

function crashLoop(pod: Pod, { name }: Container, { crashes }: ContainerSeen): ContainerState {
  const delay = Math.round(restartDelayMs(pod, crashes) / 1000);
  return waiting("CrashLoopBackOff", `back-off ${delay}s restarting failed container=${name} pod=${podWords(pod)}`);
}

/** As the kubelet names pods in messages: `web_default(uid)`. */
function podWords({ metadata: { name, namespace, uid } }: Pod): string {
  return `${name}_${namespace ?? ""}(${uid})`;
}

function waitingState(pod: Pod, seen: PodSeen, container: Container, c: ContainerSeen, init: boolean): ContainerState {
  if (c.trouble) return waiting(c.trouble.reason, c.trouble.message);
  const blocked = driverTrouble(seen, container);
  if (blocked !== undefined && seen.stage !== "assigned") return waiting("DriverNotReady", blocked);
  if (seen.trouble) return waiting(seen.trouble.reason, seen.trouble.message);
  const beforeMain = !["running", "finishing", "finished", "stopping", "removing", "gone"].includes(seen.stage);
  if (!init && beforeMain && pod.spec.initContainers?.length) return waiting("PodInitializing");
  return waiting("ContainerCreating", c.progress);
}

function waiting(reason: string, message?: string): ContainerState {
  return { waiting: { reason, ...(message ? { message } : {}) } };
}

function running(run: ObservedRun, { wallMs }: StatusContext): ContainerState {
  return { running: { startedAt: rfc3339(run.startedAtMs ?? wallMs) } };
}

/** Kubernetes says 137 for an end that nobody saw (ContainerStatusUnknown). */
const UNSEEN_EXIT_CODE = 137;

function terminated(run: ObservedRun): ContainerState {
  const exitCode = run.exitCode ?? (run.signal === undefined ? UNSEEN_EXIT_CODE : 128 + run.signal);
  const unseen = run.exitCode === undefined && run.signal === undefined;
  const usual = unseen ? "ContainerStatusUnknown" : exitCode === 0 ? "Completed" : "Error";
  return {
    terminated: {
      exitCode,
      ...(run.signal === undefined ? {} : { signal: run.signal }),
      reason: run.outOfMemory === true ? "OOMKilled" : (run.reason ?? usual),
      ...(run.message === undefined ? {} : { message: run.message }),
      ...(run.startedAtMs === undefined ? {} : { startedAt: rfc3339(run.startedAtMs) }),
      ...(run.finishedAtMs === undefined ? {} : { finishedAt: rfc3339(run.finishedAtMs) }),
      containerID: run.id,
    },
  };
}

/** Conditions that the agent owns; others (PodScheduled, and what controllers add) are kept as they are. */
const OWN_CONDITIONS = ["Initialized", "Ready", "ContainersReady"];

function conditionsOf(
  pod: Pod,
  seen: PodSeen,
  phase: PodPhase,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
  context: StatusContext,
): readonly Condition[] {
  const over = phase === "Succeeded" || phase === "Failed";
  const initDone = !["assigned", "admitted", "equipped", "initializing"].includes(seen.stage);
  const undone = init.filter(({ ready }) => !ready).map(({ name }) => name);
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const counted = [...init.filter(({ name }) => sidecars.includes(name)), ...main];
  const unready = counted.filter(({ ready }) => !ready).map(({ name }) => name);
  const leaving = pod.metadata.deletionTimestamp !== undefined && seen.stage !== "running";
  const readiness: Omit<Condition, "type"> =
    over && phase === "Succeeded"
      ? { status: "False", reason: "PodCompleted" }
      : unready.length > 0 || over || leaving
        ? {
            status: "False",
            reason: "ContainersNotReady",
            message: `containers with unready status: [${unready.join(" ")}]`,
          }
        : { status: "True" };
  const own: readonly Condition[] = [
    initDone && (phase !== "Failed" || undone.length === 0)
      ? { type: "Initialized", status: "True" }
      : {
          type: "Initialized",
          status: "False",
          reason: "ContainersNotInitialized",
          message: `containers with incomplete status: [${undone.join(" ")}]`,
        },
    { type: "Ready", ...readiness },
    { type: "ContainersReady", ...readiness },
  ];
  const others = (pod.status.conditions ?? []).filter(({ type }) => !OWN_CONDITIONS.includes(type));
  return [...own.map((condition) => stamped(condition, context)), ...others];
}

function stamped(condition: Condition, { before, wallMs }: StatusContext): Condition {
  const known = before?.conditions?.find(({ type }) => type === condition.type);
  const same = known?.status === condition.status ? known.lastTransitionTime : undefined;
  return { ...condition, lastTransitionTime: same ?? rfc3339(wallMs) };
}
