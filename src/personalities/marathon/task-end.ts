/** How a task ended, or why it does not start, in Marathon's words. Pure. */
import type { ContainerState, HealthResult, Pod } from "../../model/pod.ts";
import { ANNOTATION } from "../../model/well-known.ts";
import type { TaskFailure } from "./kinds.ts";
import { parseTimestamp, timestamp } from "./timestamp.ts";
import { MARATHON_ANNOTATION } from "./translate.ts";

type Terminated = NonNullable<ContainerState["terminated"]>;

export interface TaskEnd {
  readonly state: "TASK_FINISHED" | "TASK_FAILED" | "TASK_KILLED" | "TASK_LOST";
  readonly atMs: number;
  readonly message: string;
}

/** For pods that are over. */
export function endOf(pod: Pod): TaskEnd {
  const terminated = terminatedOf(pod);
  const ms = parseTimestamp(terminated?.finishedAt ?? pod.metadata.creationTimestamp) ?? 0;
  // Ends have whole seconds; none came before the task was staged.
  const atMs = Math.max(ms, parseTimestamp(pod.metadata.annotations?.[MARATHON_ANNOTATION.stagedAt] ?? "") ?? 0);
  return { state: stateOf(pod), atMs, message: messageOf(pod, terminated) };
}

function terminatedOf(pod: Pod): Terminated | undefined {
  return pod.status.containerStatuses?.find(({ state }) => state.terminated)?.state.terminated;
}

function stateOf(pod: Pod): TaskEnd["state"] {
  if (pod.status.phase === "Succeeded") return "TASK_FINISHED";
  if (failedCheck(pod)) return "TASK_KILLED";
  return pod.status.reason === "NodeLost" || pod.status.reason === "NodeUnreachable" ? "TASK_LOST" : "TASK_FAILED";
}

/** The agent stops a container for its health on the failure after `killAfterFailures`. */
function failedCheck(pod: Pod): HealthResult | undefined {
  const checks = pod.spec.containers[0]?.healthChecks ?? [];
  const results = pod.status.containerStatuses?.[0]?.healthResults ?? [];
  return results.find(({ consecutiveFailures }, i) => {
    const most = checks[i]?.killAfterFailures ?? 0;
    return most > 0 && consecutiveFailures > most;
  });
}

function messageOf(pod: Pod, terminated: Terminated | undefined): string {
  const check = failedCheck(pod);
  if (check) return `killed for failing its health check: ${check.lastFailureCause ?? "no answer"}`;
  if (!terminated) return pod.status.message ?? pod.status.reason ?? "";
  const subject = pod.spec.containers[0]?.image === undefined ? "Command" : "Container";
  const how =
    terminated.reason === "OOMKilled"
      ? `${subject} ran out of memory`
      : terminated.signal
        ? `${subject} terminated with signal ${terminated.signal}`
        : `${subject} exited with status ${terminated.exitCode}`;
  return terminated.message ? `${how}: ${terminated.message}` : how;
}

export function failureOf(appId: string, pod: Pod): TaskFailure {
  const { state, atMs, message } = endOf(pod);
  return failure(appId, pod, { state, message, at: timestamp(atMs) });
}

/** A container that is bound to a node and cannot be started yet, in the words of whoever tried. */
export function startFailureOf(appId: string, pod: Pod): TaskFailure | undefined {
  if (pod.spec.nodeName === undefined || pod.status.phase !== "Pending") return undefined;
  const waiting = pod.status.containerStatuses?.[0]?.state.waiting;
  if (!waiting || !/Err|BackOff|Invalid/.test(waiting.reason)) return undefined;
  const message = waiting.message ? `${waiting.reason}: ${waiting.message}` : waiting.reason;
  const at = pod.metadata.annotations?.[MARATHON_ANNOTATION.stagedAt] ?? pod.metadata.creationTimestamp;
  return failure(appId, pod, { state: "TASK_FAILED", message, at });
}

function failure(
  appId: string,
  pod: Pod,
  { state, message, at }: { readonly state: string; readonly message: string; readonly at: string },
): TaskFailure {
  const { nodeName } = pod.spec;
  return {
    appId,
    host: pod.status.hostIP ?? nodeName ?? "",
    message,
    state,
    taskId: pod.metadata.annotations?.[ANNOTATION.instance] ?? pod.metadata.name,
    timestamp: at,
    version: pod.metadata.annotations?.[MARATHON_ANNOTATION.version] ?? "",
    ...(nodeName === undefined ? {} : { slaveId: nodeName }),
  };
}
