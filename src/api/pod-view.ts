import { keyOf } from "../model/meta.ts";
import type { Node } from "../model/node.ts";
import { type Container, type ContainerStatus, isReady, type Pod } from "../model/pod.ts";
import { ANNOTATION } from "../model/well-known.ts";
import type { WorkloadPod, WorkloadStatus } from "../model/workload.ts";
import { podUrls } from "./pod-urls.ts";

/** Waiting reasons that are part of every start. */
const ON_ITS_WAY = new Set(["ContainerCreating", "PodInitializing", "Pulling", "Created", "Starting"]);

/** One copy as `styr ps` shows it. Pure. */
export function podView(pod: Pod, node: Node | undefined): WorkloadPod {
  const status = podStatus(pod);
  const error = status === "running" || status === "done" ? undefined : podError(pod);
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
  if (pod.metadata.deletionTimestamp !== undefined) return "stopping";
  if (pod.status.phase === "Succeeded") return "done";
  if (pod.status.phase === "Failed") return "failed";
  if (pod.spec.nodeName === undefined) return placementRefusal(pod) === undefined ? "starting" : "unplaced";
  if (statuses(pod).some(hasFailed)) return "failed";
  if (statuses(pod).some(isRestarting)) return "restarting";
  if (statuses(pod).some(isHeldUp)) return "pending";
  return isReady(pod) ? "running" : "starting";
}

/** What is wrong with the pod, in the words of whoever met it; undefined while nothing is. */
function podError(pod: Pod): string | undefined {
  const refusal = pod.spec.nodeName === undefined ? placementRefusal(pod) : undefined;
  if (refusal !== undefined) return refusal;
  for (const status of statuses(pod)) {
    const error = containerError(status);
    if (error !== undefined) return error;
  }
  if (pod.status.message) return pod.status.message;
  return pod.status.phase === "Failed" ? (pod.status.reason ?? "failed") : undefined;
}

/** The scheduler's words on why no node takes the pod. */
function placementRefusal(pod: Pod): string | undefined {
  const placed = pod.status.conditions?.find(({ type }) => type === "PodScheduled");
  if (placed?.status !== "False") return undefined;
  return placed.message ?? placed.reason ?? "no node takes it";
}

export function containerError(status: ContainerStatus): string | undefined {
  const { waiting, terminated } = status.state;
  if (waiting && !ON_ITS_WAY.has(waiting.reason)) {
    const last = status.lastState?.terminated;
    const words = waiting.message ?? waiting.reason;
    return last === undefined ? words : `${exitWords(last)}; ${words}`;
  }
  if (terminated && (terminated.exitCode !== 0 || terminated.signal !== undefined)) return exitWords(terminated);
  if (status.unit?.active === "failed") return `failed: ${status.unit.result ?? status.unit.sub}`;
  if (status.unit && status.unit.load !== "loaded") return `the unit is ${status.unit.load}`;
  return undefined;
}

/** `exited with 137 (OOMKilled): …`. */
export function exitWords(end: NonNullable<ContainerStatus["state"]["terminated"]>): string {
  const how = end.signal === undefined ? `exited with ${end.exitCode}` : `ended by signal ${end.signal}`;
  const why = end.reason === "Error" || end.reason === "Completed" || end.reason === "" ? "" : ` (${end.reason})`;
  return `${how}${why}${end.message ? `: ${end.message.trim()}` : ""}`;
}

/** Image, or command, of a pod: what a person recognises it by. */
export function podWhat(pod: Pod): string {
  const children = statuses(pod).flatMap((status) => status.children ?? []);
  const images = children.map(({ image }) => image);
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
  return state.waiting !== undefined && !ON_ITS_WAY.has(state.waiting.reason);
}

function podSince(pod: Pod): string {
  const { creationTimestamp } = pod.metadata;
  const moments = statuses(pod).flatMap(({ state }) => {
    return state.running?.startedAt ?? state.terminated?.finishedAt ?? [];
  });
  return moments.sort().at(-1) ?? creationTimestamp;
}
