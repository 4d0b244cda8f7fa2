/** Pods that ended by themselves: each is counted once for backoff and lastTaskFailure, and the last few are kept for their logs. */
import { keyOf } from "../../../model/meta.ts";
import { isTerminal, type Pod, pods } from "../../../model/pod.ts";
import { deletePod } from "../../../store/delete-pod.ts";
import { recordEvent } from "../../../store/record-event.ts";
import type { Tx } from "../../../store/transaction.ts";
import type { AppDefinition } from "../app-definition.ts";
import { delayAfterEnd } from "../backoff.ts";
import { type App, apps } from "../kinds.ts";
import { endOf, failureOf } from "../task-end.ts";
import { MARATHON_ANNOTATION } from "../translate.ts";

/** Ended pods that stay, per app. */
const KEPT = 3;

/** Gives the app with what its ended tasks taught. */
export function settleEndedPods(tx: Tx, app: App, definition: AppDefinition, owned: readonly Pod[]): App {
  const ended = owned
    .filter(isTerminal)
    .toSorted((a, b) => endOf(a).atMs - endOf(b).atMs || (keyOf(a) < keyOf(b) ? -1 : 1));
  const uncounted = ended.filter((pod) => pod.metadata.annotations?.[MARATHON_ANNOTATION.counted] === undefined);
  let { status } = app;
  for (const pod of uncounted) {
    status = afterEnd(status, definition, pod, tx.nowMs);
    const { state, message } = endOf(pod);
    const isFine = state === "TASK_FINISHED";
    const reason = isFine ? "TaskFinished" : "TaskFailed";
    recordEvent(tx, app, { type: isFine ? "Normal" : "Warning", reason, message, component: "marathon" });
    const annotations = { ...pod.metadata.annotations, [MARATHON_ANNOTATION.counted]: "true" };
    tx.update(pods, { ...pod, metadata: { ...pod.metadata, annotations } });
  }
  for (const pod of ended.slice(0, Math.max(0, ended.length - KEPT))) deletePod(tx, pod);
  return uncounted.length === 0 ? app : tx.update(apps, { ...app, status });
}

function afterEnd(status: App["status"], definition: AppDefinition, pod: Pod, nowMs: number): App["status"] {
  const end = endOf(pod);
  const failure = end.state === "TASK_FINISHED" ? {} : { lastTaskFailure: failureOf(definition.id, pod) };
  const isOld =
    pod.metadata.annotations?.[MARATHON_ANNOTATION.configVersion] !== definition.versionInfo.lastConfigChangeAt;
  // A task that was killed, also for failing its health checks, says nothing about whether the next one starts.
  if (end.state === "TASK_KILLED" || isOld) return { ...status, ...failure };
  return { ...status, ...failure, backoff: delayAfterEnd(definition, status.backoff, nowMs) };
}
