import type { ObservedRun } from "../drivers/driver.ts";
import {
  AGENT_CONDITIONS,
  type Condition,
  type Container,
  type ContainerState,
  type ContainerStatus,
  type Pod,
  type PodPhase,
  type PodStatus,
} from "../model/pod.ts";
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
  networkTrouble,
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
    ...(seen.outcome ? outcomeWords(seen.outcome) : {}),
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
    // Kubernetes counts restarts; being stopped by the fence and started again is none that anybody has to look into.
    restartCount: Math.max(0, c.attempt - (c.fences ?? 0)),
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
  if (seen.fence && !c.busy) return { state: waiting("Fenced", seen.fence.words), lastState };
  if (c.retryAtMs > context.nowMs) return { state: crashLoop(pod, container, c), lastState };
  if (c.trouble || c.busy) return { state: waitingState(pod, seen, container, c, init), lastState };
  const blocked = startTrouble(pod, seen, container);
  return blocked === undefined ? { state: terminated(run), ...last } : { state: blocked, lastState };
}

/** Why it cannot be started, apart from anything that was tried. */
function startTrouble(pod: Pod, seen: PodSeen, container: Container): ContainerState | undefined {
  const blocked = driverTrouble(seen, container);
  if (blocked !== undefined) return waiting("DriverNotReady", blocked);
  const unconnected = networkTrouble(pod, seen, container);
  return unconnected === undefined ? undefined : waiting("NetworkNotReady", unconnected);
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
  const blocked = startTrouble(pod, seen, container);
  if (blocked !== undefined && seen.stage !== "assigned") return blocked;
  if (seen.trouble) return waiting(seen.trouble.reason, seen.trouble.message);
  if (seen.fence && !c.busy && seen.stage !== "assigned") return waiting("Fenced", seen.fence.words);
  return waiting(init || !isInitialized(pod, seen) ? "PodInitializing" : "ContainerCreating", c.progress);
}

/** Whether the pod's own containers may run: also of one that has been ended, this says how far it came. */
function isInitialized(pod: Pod, seen: PodSeen): boolean {
  const isBefore = ["assigned", "admitted", "equipped", "initializing"].includes(seen.stage);
  if (isBefore) return pod.spec.initContainers === undefined || pod.spec.initContainers.length === 0;
  if (seen.stage === "running") return true;
  return (pod.spec.initContainers ?? []).every((container) => {
    const { run, started } = containerSeen(seen, container.name);
    return isSidecar(container) ? started || run !== undefined : run?.state === "exited" && run.exitCode === 0;
  });
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

function conditionsOf(
  pod: Pod,
  seen: PodSeen,
  phase: PodPhase,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
  context: StatusContext,
): readonly Condition[] {
  const ends = endOf(seen, phase);
  const containersReady = { type: "ContainersReady", ...(ends ?? containersReadiness(pod, seen, init, main)) };
  const own: readonly Condition[] = [
    { type: "PodReadyToStartContainers", status: hasSandbox(seen, phase) ? "True" : "False" },
    { type: "Initialized", ...initialization(seen, phase, init) },
    { ...((containersReady.status === "True" ? closedGate(pod) : undefined) ?? containersReady), type: "Ready" },
    containersReady,
  ];
  const others = (pod.status.conditions ?? []).filter(({ type }) => !AGENT_CONDITIONS.includes(type));
  return [...own.map((condition) => stamped(condition, context)), ...others];
}

type Readiness = Omit<Condition, "type">;

/** A pod that is over, or whose containers are being ended for good, is ready for nobody (kubelet: PodCompleted, PodFailed). */
function endOf({ outcome }: PodSeen, phase: PodPhase): Readiness | undefined {
  const end = phase === "Succeeded" || phase === "Failed" ? phase : outcome?.phase;
  return end && { status: "False", reason: end === "Succeeded" ? "PodCompleted" : "PodFailed" };
}

function containersReadiness(
  pod: Pod,
  seen: PodSeen,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
): Readiness {
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const counted = [...init.filter(({ name }) => sidecars.includes(name)), ...main];
  const unready = counted.filter(({ ready }) => !ready).map(({ name }) => name);
  const leaving = pod.metadata.deletionTimestamp !== undefined && seen.stage !== "running";
  if (unready.length === 0 && !leaving) return { status: "True" };
  const message = `containers with unready status: [${unready.join(" ")}]`;
  return { status: "False", reason: "ContainersNotReady", message };
}

/** The words of Kubernetes (pkg/kubelet/status/generate.go) for the first gate that is not open. */
function closedGate({ spec, status }: Pod): Readiness | undefined {
  for (const { conditionType } of spec.readinessGates ?? []) {
    const found = status.conditions?.find(({ type }) => type === conditionType);
    if (found?.status === "True") continue;
    const message =
      found === undefined
        ? `corresponding condition of pod readiness gate "${conditionType}" does not exist.`
        : `the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`;
    return { status: "False", reason: "ReadinessGatesNotReady", message };
  }
  return undefined;
}

function initialization({ stage }: PodSeen, phase: PodPhase, init: readonly ContainerStatus[]): Readiness {
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  const undone = init.filter(({ ready }) => !ready).map(({ name }) => name);
  const isDone = !["assigned", "admitted", "equipped", "initializing"].includes(stage);
  if (isDone && (phase !== "Failed" || undone.length === 0)) return { status: "True" };
  const message = `containers with incomplete status: [${undone.join(" ")}]`;
  return { status: "False", reason: "ContainersNotInitialized", message };
}

/** Volumes, values and address are there. */
function hasSandbox({ stage, quiesced }: PodSeen, phase: PodPhase): boolean {
  const isOver = phase === "Succeeded" || phase === "Failed" || quiesced;
  return !isOver && !["assigned", "admitted", "removing", "gone"].includes(stage);
}

function stamped(condition: Condition, { before, wallMs }: StatusContext): Condition {
  const known = before?.conditions?.find(({ type }) => type === condition.type);
  const same = known?.status === condition.status ? known.lastTransitionTime : undefined;
  return { ...condition, lastTransitionTime: same ?? rfc3339(wallMs) };
}
