/** What happened in the store → Marathon's events (specification 2.4). Pure. */
import { isOnLostNode } from "../../model/node-state.ts";
import { type Pod, pods } from "../../model/pod.ts";
import type { Change, Reader } from "../../store/transaction.ts";
import type { AppDefinition } from "./app-definition.ts";
import { parseTaskId } from "./ids.ts";
import { type Instance, instanceOf, isTask } from "./instance.ts";
import { type App, type AppDeployment, appDeployments, appKey, apps, isVisible } from "./kinds.ts";
import { renderTask, taskState } from "./render.ts";
import { currentStep } from "./steps.ts";
import { endOf } from "./task-end.ts";
import { viewOf } from "./view.ts";

export interface MarathonEvent {
  readonly eventType: string;
  readonly [field: string]: unknown;
}

export function eventsOf(change: Change, reader: Reader): readonly MarathonEvent[] {
  if (change.kind.name === pods.name) return podEvents(change, reader);
  if (change.kind.name === apps.name) return appEvents(change);
  if (change.kind.name === appDeployments.name) return deploymentEvents(change);
  return [];
}

function appEvents({ type, object, before }: Change): readonly MarathonEvent[] {
  const app = object as App;
  const { definition } = app.spec;
  if (type === "removed") return [{ eventType: "app_terminated_event", appId: definition.id }];
  const isNew = (before as App | undefined)?.spec.definition.version !== definition.version;
  if (!isNew || !isVisible(app)) return [];
  return [
    { eventType: "api_post_event", clientIp: "", uri: `/v2/apps${definition.id}`, appDefinition: definition },
    { eventType: "group_change_success", groupId: "/", version: definition.version },
  ];
}

function deploymentEvents({ type, object, before }: Change): readonly MarathonEvent[] {
  const deployment = object as AppDeployment;
  const plan = planOf(deployment);
  const stepOf = (one: AppDeployment) => ({ actions: currentStep(one)?.actions ?? [] });
  if (type === "added") return [{ eventType: "deployment_info", plan, currentStep: stepOf(deployment) }];
  const earlier = before as AppDeployment;
  if (type === "modified") {
    if (deployment.status.cancelled) return [];
    return [
      { eventType: "deployment_step_success", plan, currentStep: stepOf(earlier) },
      { eventType: "deployment_info", plan, currentStep: stepOf(deployment) },
    ];
  }
  const id = deployment.metadata.name;
  if (earlier.status.cancelled) return [{ eventType: "deployment_failed", id, plan, reason: "cancelled" }];
  return [
    { eventType: "deployment_step_success", plan, currentStep: stepOf(earlier) },
    { eventType: "deployment_success", id, plan },
  ];
}

function planOf({ metadata, spec }: AppDeployment): object {
  return { id: metadata.name, version: spec.version, steps: spec.steps };
}

function podEvents(change: Change, reader: Reader): readonly MarathonEvent[] {
  const pod = change.object as Pod;
  const owner = pod.metadata.ownerReferences?.find(({ kind }) => kind === apps.name);
  const app = owner && reader.get(apps, appKey(owner.name));
  if (!app) return [];
  const { definition } = app.spec;
  const now = instanceOf(pod, definition);
  const earlier = change.before && instanceOf(change.before as Pod, definition);
  if (change.type === "removed") {
    // A task that was killed ends when its pod goes; one that ended by itself or was forgotten was told of before.
    if (!isTask(now)) return [];
    return statusEvents(now, definition, reader, now.condition === "Killing" ? "TASK_KILLED" : "TASK_GONE");
  }
  return [...changeEvents(now, earlier, definition, reader), ...healthEvents(now, earlier, definition)];
}

function changeEvents(
  now: Instance,
  earlier: Instance | undefined,
  app: AppDefinition,
  reader: Reader,
): readonly MarathonEvent[] {
  if (now.condition === earlier?.condition) return [];
  const told = statusEvents(now, app, reader, now.condition === "Gone" ? "TASK_GONE" : undefined);
  // Given up: another condition of the instance, and still the same state of its task.
  const isSameState = earlier !== undefined && isTask(earlier) && isTask(now) && taskState(now) === taskState(earlier);
  return isSameState ? told.filter(({ eventType }) => eventType !== "status_update_event") : told;
}

function statusEvents(now: Instance, app: AppDefinition, reader: Reader, ended?: string): readonly MarathonEvent[] {
  const task = renderTask(now, app, viewOf(reader)) as Readonly<Record<string, unknown>>;
  const end = now.condition === "Ended" ? endOf(now.pod) : undefined;
  const taskStatus = ended ?? end?.state ?? task.state;
  const changed = {
    eventType: "instance_changed_event",
    instanceId: instanceIdOf(now),
    condition: ended || end ? conditionAfter(String(taskStatus)) : now.condition,
    runSpecId: app.id,
    agentId: task.slaveId,
    host: task.host,
    runSpecVersion: now.version,
  };
  if (!isTask(now) && !end && !ended) return [changed];
  const { slaveId, host, ipAddresses, ports } = task;
  const message = end?.message ?? lostMessage(now) ?? "";
  const taskId = now.taskId;
  return [
    {
      eventType: "status_update_event",
      slaveId,
      taskId,
      taskStatus,
      message,
      appId: app.id,
      host,
      ipAddresses,
      ports,
      version: now.version,
    },
    changed,
  ];
}

/** Why nobody knows how the task fares. */
function lostMessage({ pod }: Instance): string | undefined {
  return isOnLostNode(pod) ? pod.status.conditions?.find(({ type }) => type === "Ready")?.message : undefined;
}

/** `TASK_FINISHED` is the condition `Finished`. */
function conditionAfter(taskStatus: string): string {
  const word = taskStatus.slice("TASK_".length).toLowerCase();
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function healthEvents(now: Instance, before: Instance | undefined, app: AppDefinition): readonly MarathonEvent[] {
  if (app.healthChecks.length === 0 || !before) return [];
  const instanceId = instanceIdOf(now);
  const failures = (instance: Instance) =>
    (instance.pod.status.containerStatuses?.[0]?.healthResults ?? []).map(
      ({ consecutiveFailures }) => consecutiveFailures,
    );
  const earlier = failures(before);
  const failed = failures(now)
    .slice(0, app.healthChecks.length)
    .flatMap((count, i) => (count > (earlier[i] ?? 0) ? [app.healthChecks[i]] : []));
  const told = failed.map((healthCheck) => ({
    eventType: "failed_health_check_event",
    appId: app.id,
    taskId: instanceId,
    healthCheck,
  }));
  const alive = now.isHealthy ? true : now.isUnhealthy ? false : undefined;
  const wasAlive = before.isHealthy ? true : before.isUnhealthy ? false : undefined;
  if (alive === undefined || alive === wasAlive) return told;
  return [
    ...told,
    { eventType: "health_status_changed_event", appId: app.id, instanceId, version: now.version, alive },
    {
      eventType: "instance_health_changed_event",
      instanceId,
      runSpecId: app.id,
      healthy: alive,
      runSpecVersion: now.version,
    },
  ];
}

function instanceIdOf({ taskId }: Instance): string {
  return parseTaskId(taskId)?.instanceId ?? taskId;
}
