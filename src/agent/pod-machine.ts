/**
 * The pod machine: what to do next for one pod, and why. Pure: `step(pod, seen, now)` looks at what is wanted and what
 * is, and names one action; the worker (pod-worker.ts) carries it out, writes down what came of it, and asks again
 * until the answer is "wait". Nothing here remembers anything.
 */

import { type Container, isTerminal, type Pod } from "../model/pod.ts";
import { restartVerdict } from "./restart-rules.ts";
import {
  allContainers,
  type ContainerSeen,
  containerSeen,
  driverTrouble,
  isAsked,
  isLoadOnly,
  isSidecar,
  type Kill,
  networkTrouble,
  type Outcome,
  outcomeOf,
  type PodSeen,
  type Stage,
  sidecarsOf,
} from "./seen.ts";

/** Every move between stages, with what it means. docs/states.md shows this table. */
export const STAGE_MOVES = {
  assigned: { admitted: "it fits", finishing: "it does not fit here any more, or deadline", stopping: "to be deleted" },
  admitted: { equipped: "volumes, values and address are there", finishing: "deadline", stopping: "to be deleted" },
  equipped: { initializing: "ready to start", finishing: "deadline", stopping: "to be deleted" },
  initializing: {
    running: "init containers are done",
    finishing: "an init container failed for good, or deadline",
    stopping: "to be deleted",
  },
  running: { finishing: "all containers ended for good, or deadline", stopping: "to be deleted" },
  finishing: { finished: "nothing runs any more", stopping: "to be deleted" },
  finished: { stopping: "to be deleted" },
  stopping: { removing: "nothing runs any more" },
  removing: { gone: "nothing is left" },
  gone: {},
} as const satisfies Readonly<Record<Stage, Readonly<Partial<Record<Stage, string>>>>>;

/** Moves of Kubernetes' phase that an agent may report. */
export const PHASE_MOVES = {
  Pending: ["Running", "Succeeded", "Failed"],
  Running: ["Succeeded", "Failed"],
  Succeeded: [],
  Failed: [],
  Unknown: ["Pending", "Running", "Succeeded", "Failed"],
} as const;

export type Action =
  /** Nothing to do before `untilMs`, or before something happens. */
  | { readonly type: "wait"; readonly untilMs?: number }
  | { readonly type: "move"; readonly to: Stage; readonly outcome?: Outcome }
  | { readonly type: "admit" }
  /** Volumes, values of secrets and config maps, address. */
  | { readonly type: "equip" }
  | { readonly type: "prepare"; readonly container: string; readonly attempt: number }
  | { readonly type: "start"; readonly container: string; readonly attempt: number }
  | { readonly type: "postStart"; readonly container: string }
  | { readonly type: "stop"; readonly container: string; readonly graceMs: number; readonly kill?: Kill }
  | { readonly type: "remove"; readonly container: string; readonly attempts: readonly number[] }
  /** Out of names and services, before anything of it is stopped. */
  | { readonly type: "leave"; readonly mostMs: number; readonly mostAwayMs: number }
  /** Address and ports of a finished pod. */
  | { readonly type: "quiesce" }
  /** Infra container and cgroup, volumes, address. */
  | { readonly type: "release" };

export interface Step {
  readonly action: Action;
  readonly reason: string;
}

const DEFAULT_GRACE_MS = 30_000;
/** A pod is stopped after so long although somebody may still be sent to it; of a short grace at most this share is spent so. */
const MOST_LEAVING_MS = 2_000;
const LEAVING_SHARE = 0.5;
/** For hosts whose agents are away, and send to it until they are back. */
const MOST_AWAY_MS = 10_000;
/** A later deletion with less grace cuts a stop short only if it wins at least this much. */
const WORTH_HURRYING_MS = 500;

export function step(pod: Pod, seen: PodSeen, nowMs: number): Step {
  if (seen.busy !== undefined) return wait(seen.busy);
  if (seen.goodbye !== undefined && "stopping" in STAGE_MOVES[seen.stage]) return move("stopping", "to be deleted");
  const over = ordered(pod, seen) ?? deadline(pod, seen, nowMs);
  if (over) return over;
  switch (seen.stage) {
    case "assigned":
      return admission(seen);
    case "admitted":
      return equipment(seen, nowMs);
    case "equipped":
      return move("initializing", "ready to start");
    case "initializing":
      return initialization(pod, seen, nowMs);
    case "running":
      return running(pod, seen, nowMs);
    case "finishing":
      return stopAll(pod, seen, nowMs) ?? quiescence(pod, seen, nowMs) ?? move("finished", "nothing runs any more");
    case "stopping":
      return leaving(pod, seen, nowMs) ?? stopAll(pod, seen, nowMs) ?? move("removing", "nothing runs any more");
    case "removing":
      return removal(pod, seen, nowMs);
    case "finished":
      return wait(seen.outcome?.message ?? "finished");
    case "gone":
      return wait("nothing is left");
  }
}

/** The grace a pod asks for when nobody names another. */
export function graceOf(pod: Pod): number {
  const seconds = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds;
  return seconds === undefined ? DEFAULT_GRACE_MS : Math.max(0, seconds) * 1000;
}

function wait(reason: string, untilMs?: number): Step {
  return { action: { type: "wait", ...(untilMs === undefined ? {} : { untilMs }) }, reason };
}

function move(to: Stage, reason: string, outcome?: Outcome): Step {
  return { action: { type: "move", to, ...(outcome === undefined ? {} : { outcome }) }, reason };
}

function finish(outcome: Outcome): Step {
  return move("finishing", outcome.message ?? outcome.phase, outcome);
}

const LIVE_STAGES: readonly Stage[] = ["assigned", "admitted", "equipped", "initializing", "running"];

/** The control plane has ended the pod (and may have given its room away): what runs of it is to stop. */
function ordered(pod: Pod, { stage }: PodSeen): Step | undefined {
  return isTerminal(pod) && LIVE_STAGES.includes(stage) ? finish(outcomeOf(pod)) : undefined;
}

function deadline(pod: Pod, { stage, deadlineMs }: PodSeen, nowMs: number): Step | undefined {
  if (deadlineMs === undefined || nowMs < deadlineMs || !LIVE_STAGES.includes(stage)) return undefined;
  const message = `Pod was active on the node longer than the specified deadline (${pod.spec.activeDeadlineSeconds} s)`;
  return finish({ phase: "Failed", reason: "DeadlineExceeded", message });
}

function admission({ admission: answer }: PodSeen): Step {
  if (answer === undefined) return { action: { type: "admit" }, reason: "new on this node" };
  return answer === "yes" ? move("admitted", "it fits") : finish({ phase: "Failed", ...answer });
}

function equipment({ equipped, trouble, deadlineMs }: PodSeen, nowMs: number): Step {
  if (equipped) return move("equipped", "volumes, values and address are there");
  if (trouble && nowMs < trouble.retryAtMs) return wait(trouble.message, earliest(trouble.retryAtMs, deadlineMs));
  return { action: { type: "equip" }, reason: trouble ? `again, after: ${trouble.message}` : "admitted" };
}

/** Init containers run one after another; a sidecar lets the next one go once it has started. */
function initialization(pod: Pod, seen: PodSeen, nowMs: number): Step {
  if (pod.spec.containers.some(({ name }) => containerSeen(seen, name).run !== undefined)) {
    return move("running", "its containers have run before, so its init containers are done");
  }
  let untilMs = seen.deadlineMs;
  for (const container of pod.spec.initContainers ?? []) {
    const verdict = care(pod, container, seen, nowMs, true);
    if (verdict.kind === "act") return verdict.step;
    if (verdict.kind === "ended" && !verdict.well)
      return finish(failureOf(container, containerSeen(seen, container.name)));
    if (verdict.kind === "idle") untilMs = earliest(untilMs, verdict.untilMs);
    const passed = verdict.kind === "ended" || (isSidecar(container) && containerSeen(seen, container.name).started);
    if (!passed) return wait(`init container ${container.name}: ${verdict.reason}`, untilMs);
  }
  return move("running", "init containers are done");
}

function running(pod: Pod, seen: PodSeen, nowMs: number): Step {
  let untilMs = seen.deadlineMs;
  const ends: { readonly container: Container; readonly well: boolean }[] = [];
  for (const container of [...sidecarsOf(pod), ...pod.spec.containers]) {
    const verdict = care(pod, container, seen, nowMs, isSidecar(container));
    if (verdict.kind === "act") return verdict.step;
    if (verdict.kind === "ended" && !isSidecar(container)) ends.push({ container, well: verdict.well });
    if (verdict.kind === "idle") untilMs = earliest(untilMs, verdict.untilMs);
    // In order: one that is on its way for the first time holds back those after it.
    if (verdict.kind === "idle" && verdict.firstTime) return wait(`${container.name}: ${verdict.reason}`, untilMs);
  }
  if (ends.length < pod.spec.containers.length) return wait("running", untilMs);
  const failed = ends.find(({ well }) => !well);
  return finish(
    failed ? failureOf(failed.container, containerSeen(seen, failed.container.name)) : { phase: "Succeeded" },
  );
}

type Care =
  | { readonly kind: "act"; readonly step: Step }
  | { readonly kind: "idle"; readonly reason: string; readonly untilMs?: number; readonly firstTime?: boolean }
  | { readonly kind: "ended"; readonly well: boolean; readonly reason: string };

/** What one container needs now. */
function care(pod: Pod, container: Container, seen: PodSeen, nowMs: number, init: boolean): Care {
  const c = containerSeen(seen, container.name);
  const fenced = fencing(pod, container, seen, nowMs);
  if (fenced !== undefined) return fenced;
  if (c.busy !== undefined) return idle(c.busy, undefined, c.run === undefined && c.attempt === 0);
  if (c.run?.state === "exited" && !restartVerdict(pod, container, c, init).again) {
    return { kind: "ended", well: c.run.exitCode === 0, reason: restartVerdict(pod, container, c, init).why };
  }
  const blocked = driverTrouble(seen, container);
  if (blocked !== undefined) return idle(blocked);
  if (c.strays.length > 0 && !isHeld(c, nowMs)) {
    return act({ type: "remove", container: container.name, attempts: c.strays }, "an older run of it is still there");
  }
  if (c.run?.state === "running") return careOfRunning(pod, container, c, nowMs);
  if (c.run?.state === "created" && isAsked(container, c)) return idle("loaded");
  return starting(pod, container, seen, nowMs, init);
}

/** The fence does not wait for hooks, probes or back-off. Undefined: it asks for nothing now. */
function fencing(pod: Pod, container: Container, seen: PodSeen, nowMs: number): Care | undefined {
  const c = containerSeen(seen, container.name);
  const { words, stopByMs } = seen.fence ?? {};
  if (words === undefined || stopByMs === undefined || c.run?.state !== "running") return undefined;
  if (c.busy === "stopping" ? !isHurried(seen, c) : c.busy !== undefined && c.busy !== "hooking") return undefined;
  const blocked = driverTrouble(seen, container);
  if (blocked !== undefined) return idle(blocked);
  if (isHeld(c, nowMs)) return idle(c.trouble?.message ?? "", c.trouble?.retryAtMs);
  const graceMs = Math.min(graceOf(pod), Math.max(0, stopByMs - nowMs));
  const kill = { why: words, after: "restart", isFence: true } as const;
  return act({ type: "stop", container: container.name, graceMs, kill }, words);
}

function careOfRunning(pod: Pod, container: Container, c: ContainerSeen, nowMs: number): Care {
  if (isLoadOnly(container) && !isAsked(container, c) && !isHeld(c, nowMs)) {
    return act({ type: "start", container: container.name, attempt: c.attempt }, "the unit is to be loaded only");
  }
  const kill = reasonToStop(container, c);
  if (isHeld(c, nowMs)) return idle(c.trouble?.message ?? "", c.trouble?.retryAtMs);
  if (kill !== undefined) {
    return act({ type: "stop", container: container.name, graceMs: graceOf(pod), kill }, kill.why);
  }
  if (container.lifecycle?.postStart && !c.postStarted) {
    return act({ type: "postStart", container: container.name }, "started");
  }
  if (c.old.length > 0) return act({ type: "remove", container: container.name, attempts: c.old }, "old runs");
  return idle("running");
}

function isHeld(c: ContainerSeen, nowMs: number): boolean {
  return c.trouble !== undefined && nowMs < c.trouble.retryAtMs;
}

/** Why a running container must end although its pod goes on. */
function reasonToStop(container: Container, c: ContainerSeen): Kill | undefined {
  if (c.kill !== undefined) return c.kill;
  if (c.startedImage !== undefined && container.image !== undefined && c.startedImage !== container.image) {
    return { why: `its image was changed from ${c.startedImage} to ${container.image}`, after: "restart" };
  }
  return undefined;
}

function starting(pod: Pod, container: Container, seen: PodSeen, nowMs: number, init: boolean): Care {
  const c = containerSeen(seen, container.name);
  const again = c.run?.state === "exited";
  const attempt = again ? c.attempt + 1 : c.attempt;
  const name = container.name;
  if (again && nowMs < c.retryAtMs && !isLoadOnly(container)) {
    if (c.old.length > 0 && !isHeld(c, nowMs))
      return act({ type: "remove", container: name, attempts: c.old }, "old runs");
    return idle(`back-off before attempt ${attempt}`, c.retryAtMs);
  }
  if (isHeld(c, nowMs)) return idle(c.trouble?.message ?? "", c.trouble?.retryAtMs);
  const why = again ? restartVerdict(pod, container, c, init).why : "wanted";
  if (needsPreparing(container, c, attempt)) return act({ type: "prepare", container: name, attempt }, why);
  if (seen.fence !== undefined && !isLoadOnly(container)) return idle(seen.fence.words);
  const unconnected = networkTrouble(pod, seen, container);
  if (unconnected !== undefined) return idle(unconnected);
  return act({ type: "start", container: name, attempt }, why);
}

/** imagePullPolicy Always asks the registry before every start; otherwise once per image. */
function needsPreparing(container: Container, c: ContainerSeen, attempt: number): boolean {
  if (c.preparedImage !== (container.image ?? "")) return true;
  return container.imagePullPolicy === "Always" && c.preparedAttempt !== attempt;
}

/** Nobody is sent to it any more before it is stopped, but for one that is in a hurry: no grace, or the fence. */
function leaving(pod: Pod, seen: PodSeen, nowMs: number): Step | undefined {
  const { gate, goodbye, fence } = seen;
  if (gate === undefined || gate === "left" || fence?.stopByMs !== undefined) return undefined;
  const leftMs = (goodbye?.byMs ?? nowMs + graceOf(pod)) - nowMs;
  const isRunning = allContainers(pod).some(({ name }) => containerSeen(seen, name).run?.state === "running");
  if (leftMs <= 0 || !isRunning) return undefined;
  if (gate === "leaving") return wait("it leaves names and services", goodbye?.byMs);
  const shareMs = leftMs * LEAVING_SHARE;
  const [mostMs, mostAwayMs] = [Math.min(MOST_LEAVING_MS, shareMs), Math.min(MOST_AWAY_MS, shareMs)];
  return { action: { type: "leave", mostMs, mostAwayMs }, reason: "names and services are not to lead to it any more" };
}

/** Ordinary containers first; then the sidecars, last started first stopped. */
function stopAll(pod: Pod, seen: PodSeen, nowMs: number): Step | undefined {
  const ordinary = allContainers(pod).filter((container) => !isSidecar(container));
  return stopThese(pod, ordinary, seen, nowMs) ?? stopThese(pod, sidecarsOf(pod).toReversed(), seen, nowMs);
}

function stopThese(pod: Pod, containers: readonly Container[], seen: PodSeen, nowMs: number): Step | undefined {
  let waiting: Step | undefined;
  for (const container of containers) {
    const c = containerSeen(seen, container.name);
    if (c.busy === "stopping" && !isHurried(seen, c)) waiting ??= wait(`${container.name} is stopping`);
    else if (c.busy === "starting" || c.busy === "removing") waiting ??= wait(`${container.name}: ${c.busy}`);
    else if (c.run?.state === "running" || c.busy === "stopping" || mayRunUnseen(seen, container, c)) {
      const held = blockedUntil(seen, container, c, nowMs);
      if (held !== undefined) waiting = keepEarlier(waiting, held);
      else return stopNow(pod, container, seen, nowMs);
    }
  }
  return waiting;
}

/** A finished pod holds nothing but the logs of what it ran. */
function quiescence(pod: Pod, seen: PodSeen, nowMs: number): Step | undefined {
  const { quiesced, trouble } = seen;
  if (quiesced) return undefined;
  for (const container of allContainers(pod)) {
    const blocked = containerSeen(seen, container.name).run ? driverTrouble(seen, container) : undefined;
    if (blocked !== undefined) return wait(blocked);
  }
  if (trouble && nowMs < trouble.retryAtMs) return wait(trouble.message, trouble.retryAtMs);
  return { action: { type: "quiesce" }, reason: "nothing runs any more" };
}

/** Started before this agent did, by a driver that has not yet said what it runs. */
function mayRunUnseen(seen: PodSeen, container: Container, c: ContainerSeen): boolean {
  return c.wasStarted && c.run === undefined && driverTrouble(seen, container) !== undefined;
}

function stopNow(pod: Pod, container: Container, seen: PodSeen, nowMs: number): Step {
  const byMs = Math.min(seen.goodbye?.byMs ?? nowMs + graceOf(pod), seen.fence?.stopByMs ?? Number.POSITIVE_INFINITY);
  const graceMs = Math.max(0, byMs - nowMs);
  const reason = seen.outcome?.message ?? "to be deleted";
  return { action: { type: "stop", container: container.name, graceMs }, reason };
}

function isHurried(seen: PodSeen, c: ContainerSeen): boolean {
  const byMs = earliest(seen.goodbye?.byMs, seen.fence?.stopByMs);
  return byMs !== undefined && c.stopByMs !== undefined && byMs + WORTH_HURRYING_MS < c.stopByMs;
}

function removal(pod: Pod, seen: PodSeen, nowMs: number): Step {
  let waiting: Step | undefined;
  for (const container of allContainers(pod)) {
    const c = containerSeen(seen, container.name);
    const attempts = attemptsOf(c);
    // A pull that goes on in vain holds nothing back.
    if (c.busy !== undefined && c.busy !== "preparing") waiting ??= wait(`${container.name}: ${c.busy}`);
    else if (attempts.length > 0) {
      const held = blockedUntil(seen, container, c, nowMs);
      if (held !== undefined) waiting = keepEarlier(waiting, held);
      else return { action: { type: "remove", container: container.name, attempts }, reason: "to be deleted" };
    }
  }
  if (waiting) return waiting;
  if (seen.released) return move("gone", "nothing is left");
  if (seen.trouble && nowMs < seen.trouble.retryAtMs) return wait(seen.trouble.message, seen.trouble.retryAtMs);
  return { action: { type: "release" }, reason: "to be deleted" };
}

/** Every run that may still be there. */
function attemptsOf(c: ContainerSeen): readonly number[] {
  const attempts = [
    ...c.strays,
    ...c.old,
    ...(c.previous ? [c.previous.ref.attempt] : []),
    ...(c.run ? [c.run.ref.attempt] : []),
  ];
  return [...new Set(attempts)].toSorted((a, b) => a - b);
}

function blockedUntil(seen: PodSeen, container: Container, c: ContainerSeen, nowMs: number): Step | undefined {
  const blocked = driverTrouble(seen, container);
  if (blocked !== undefined) return wait(blocked);
  return c.trouble && nowMs < c.trouble.retryAtMs ? wait(c.trouble.message, c.trouble.retryAtMs) : undefined;
}

function keepEarlier(one: Step | undefined, other: Step): Step {
  if (one?.action.type !== "wait" || other.action.type !== "wait") return other;
  return wait(one.reason, earliest(one.action.untilMs, other.action.untilMs));
}

function failureOf(container: Container, c: ContainerSeen): Outcome {
  if (c.run?.outOfMemory === true) {
    return { phase: "Failed", message: `container ${container.name} was killed because its memory limit was reached` };
  }
  const code = c.run?.exitCode;
  const how = code === undefined ? (c.run?.message ?? "ended and nobody saw how") : `failed with exit code ${code}`;
  const detail = code !== undefined && c.run?.message ? `: ${c.run.message}` : "";
  return { phase: "Failed", message: `container ${container.name} ${how}${detail}` };
}

function act(action: Action, reason: string): Care {
  return { kind: "act", step: { action, reason } };
}

function idle(reason: string, untilMs?: number, firstTime = false): Care {
  return { kind: "idle", reason, firstTime, ...(untilMs === undefined ? {} : { untilMs }) };
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
