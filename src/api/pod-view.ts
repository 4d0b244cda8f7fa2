import { disruptionOf } from "../model/disruption.ts";
import { keyOf } from "../model/meta.ts";
import type { Node } from "../model/node.ts";
import { isOnLostNode } from "../model/node-state.ts";
import { type Container, type ContainerStatus, isReady, isTerminal, type Pod } from "../model/pod.ts";
import { parseUnitName } from "../model/unit/unit-name.ts";
import { ANNOTATION } from "../model/well-known.ts";
import type { WorkloadPod, WorkloadStatus } from "../model/workload.ts";
import { podUrls } from "./pod-urls.ts";

/** Waiting reasons that are part of every start. */
const ON_ITS_WAY = ["ContainerCreating", "PodInitializing", "Pulling", "Created", "Starting", "Loaded"];

/** One copy as `styr ps` shows it; one that cannot be read is a row that says so, and not the end of the list. Pure. */
export function podView(pod: Pod, node: Node | undefined): WorkloadPod {
  return readable(
    () => viewOf(pod, node),
    (error) => {
      const { uid, creationTimestamp } = pod.metadata;
      const row = { key: keyOf(pod), uid, status: "failed", ready: false, containers: [], restarts: 0 } as const;
      return { ...row, since: creationTimestamp, urls: [], error: `its status cannot be read: ${error}` };
    },
  );
}

function readable<T>(read: () => T, otherwise: (error: unknown) => T): T {
  try {
    return read();
  } catch (error) {
    return otherwise(error);
  }
}

function viewOf(pod: Pod, node: Node | undefined): WorkloadPod {
  const status = podStatus(pod);
  const error = status === "running" || status === "done" || status === "stopped" ? undefined : podError(pod);
  const instance = pod.metadata.annotations?.[ANNOTATION.instance];
  return {
    key: keyOf(pod),
    uid: pod.metadata.uid,
    ...(pod.spec.nodeName === undefined ? {} : { node: pod.spec.nodeName }),
    status,
    ready: status === "running",
    containers: pod.spec.containers.map(({ name }) => name),
    restarts: statuses(pod).reduce((sum, { restartCount }) => sum + restartCount, 0),
    since: podSince(pod),
    urls: pod.status.phase === "Running" ? podUrls(pod, node) : [],
    ...(error === undefined ? {} : { error }),
    ...(instance === undefined ? {} : { instance }),
  };
}

function podStatus(pod: Pod): WorkloadStatus {
  if (!isTerminal(pod) && isOnLostNode(pod)) return "lost";
  if (pod.metadata.deletionTimestamp !== undefined) return "stopping";
  if (pod.status.phase === "Succeeded") return "done";
  if (pod.status.phase === "Failed") return "failed";
  if (pod.spec.nodeName === undefined) return placementRefusal(pod) === undefined ? "starting" : "unplaced";
  if (statuses(pod).some(hasFailed)) return "failed";
  if (pod.spec.containers.some((container) => isNotStarted(container))) return restingStatus(pod);
  if (statuses(pod).some(isRestarting)) return "restarting";
  if (statuses(pod).some(isHeldUp)) return "pending";
  return isReady(pod) ? "running" : "starting";
}

/** A unit that is only to be loaded, or of a type that nothing executes. */
export function isNotStarted({ unit }: Container): boolean {
  return unit !== undefined && (unit.start === false || isNeverExecuted(unit.name));
}

/** Timers, sockets, targets, …: loaded, and no more than that. */
export function isNeverExecuted(unitName: string): boolean {
  return parseUnitName(unitName).suffix !== "service";
}

/** It may still be on its way down, or another unit has started it as its dependency. */
function restingStatus(pod: Pod): WorkloadStatus {
  const found = statuses(pod);
  if (found.length === 0 || found.some((status) => !status.unit)) return found.some(isHeldUp) ? "pending" : "starting";
  if (found.some(({ unit }) => unit?.active === "deactivating")) return "stopping";
  return found.some(({ unit }) => unit?.active === "active") ? "running" : "stopped";
}

/** What is wrong with the pod, in the words of whoever met it; undefined while nothing is. */
function podError(pod: Pod): string | undefined {
  const refusal = pod.spec.nodeName === undefined ? placementRefusal(pod) : undefined;
  if (refusal !== undefined) return refusal;
  if (!isTerminal(pod) && isOnLostNode(pod)) return lossOf(pod);
  for (const status of statuses(pod)) {
    const error = containerError(status);
    if (error !== undefined) return error;
  }
  const onItsWay = statuses(pod).map(({ state }) => state.waiting?.message);
  const words = pod.status.message ?? onItsWay.find(Boolean);
  if (words) return words;
  return pod.status.phase === "Failed" ? (pod.status.reason ?? "failed") : undefined;
}

/** Who says how long its node is silent also says that a successor is made. */
function lossOf(pod: Pod): string {
  const ready = pod.status.conditions?.find(({ type }) => type === "Ready");
  return disruptionOf(pod)?.message ?? ready?.message ?? `node ${pod.spec.nodeName ?? ""} is unreachable`;
}

/** The scheduler's words on why no node takes the pod. */
function placementRefusal(pod: Pod): string | undefined {
  const placed = pod.status.conditions?.find(({ type }) => type === "PodScheduled");
  if (placed?.status !== "False") return undefined;
  return placed.message ?? placed.reason ?? "no node takes it";
}

export function containerError(status: ContainerStatus): string | undefined {
  const { waiting, terminated } = status.state;
  if (waiting && !ON_ITS_WAY.includes(waiting.reason)) {
    const last = status.lastState?.terminated;
    const words = waiting.message ?? waiting.reason;
    return last === undefined ? words : `${endWords(last, status)}; ${words}`;
  }
  if (terminated && (terminated.exitCode !== 0 || terminated.signal !== undefined)) return endWords(terminated, status);
  if (status.unit?.active === "failed") return `failed: ${status.unit.result ?? status.unit.sub}`;
  if (status.unit?.sub === "auto-restart") return status.unit.message ?? status.unit.result;
  if (status.unit && status.unit.load !== "loaded") return `the unit is ${status.unit.load}`;
  return undefined;
}

type Terminated = NonNullable<ContainerStatus["state"]["terminated"]>;

/** A unit says itself what failed, which is not always a process: `timeout: the start took longer than 90 s`. */
function endWords(end: Terminated, { unit }: ContainerStatus): string {
  const own = unit === undefined ? undefined : end.message?.trim();
  return own === undefined || own === "" ? exitWords(end) : own;
}

/** `it exited with 137 (OOMKilled): …`, `it failed: timeout: …`. */
export function endSentence(end: Terminated, status: ContainerStatus): string {
  const words = endWords(end, status);
  return words === end.message?.trim() ? `it failed: ${words}` : `it ${words}`;
}

/** `exited with 137 (OOMKilled): …`. */
function exitWords(end: Terminated): string {
  const how = end.signal === undefined ? `exited with ${end.exitCode}` : `ended by signal ${end.signal}`;
  const why = end.reason === "Error" || end.reason === "Completed" || end.reason === "" ? "" : ` (${end.reason})`;
  return `${how}${why}${end.message ? `: ${end.message.trim()}` : ""}`;
}

/** Image, or command, of a pod: what a person recognises it by. */
export function podWhat(pod: Pod): string {
  const ofChildren = () => statuses(pod).flatMap(({ children = [] }) => children.map(({ image }) => image));
  const images = readable(ofChildren, () => []);
  return images.length > 0 ? images.join(", ") : pod.spec.containers.map(containerWhat).join(", ");
}

function containerWhat({ image, command, args, unit }: Container): string {
  if (unit) {
    const start = unit.options.findLast(({ section, name, value }) => {
      return section === "Service" && name === "ExecStart" && value !== "";
    });
    return start?.value ?? unit.name;
  }
  return image ?? [...(command ?? []), ...(args ?? [])].join(" ");
}

function statuses(pod: Pod): readonly ContainerStatus[] {
  return [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
}

function hasFailed({ unit, state }: ContainerStatus): boolean {
  return unit?.active === "failed" || (unit !== undefined && unit.load !== "loaded" && state.running === undefined);
}

/** It ended and waits for its next start. */
function isRestarting(status: ContainerStatus): boolean {
  if (status.unit?.sub === "auto-restart") return true;
  return isHeldUp(status) && (status.restartCount > 0 || status.lastState?.terminated !== undefined);
}

/** It cannot be started, and is tried again. */
function isHeldUp({ state }: ContainerStatus): boolean {
  return state.waiting !== undefined && !ON_ITS_WAY.includes(state.waiting.reason);
}

function podSince(pod: Pod): string {
  const { creationTimestamp } = pod.metadata;
  const moments = statuses(pod).flatMap(({ state }) => {
    return state.running?.startedAt ?? state.terminated?.finishedAt ?? [];
  });
  return moments.sort().at(-1) ?? creationTimestamp;
}
