/** Apps and their pods → Marathon's answers, with Marathon's keys and no other: clients refuse unknown ones. Pure. */
import type { HealthResult, Pod } from "../../model/pod.ts";
import { NODE_LABEL } from "../../model/well-known.ts";
import { type AppDefinition, isHostMode, portsOf } from "./app-definition.ts";
import { parseTaskId } from "./ids.ts";
import { type Instance, instanceOf, isTask } from "./instance.ts";
import type { App, TaskFailure } from "./kinds.ts";
import { startFailureOf } from "./task-end.ts";
import { portNames } from "./task-environment.ts";
import { parseTimestamp, timestamp } from "./timestamp.ts";
import { checkIndexes } from "./translate-health.ts";

/** What rendering needs to know about the cluster. */
export interface RenderView {
  podsOf(app: App): readonly Pod[];
  /** Ids of the deployments that change the app. */
  deploymentsOf(appId: string): readonly string[];
  /** A node's labels, for region and zone. */
  nodeLabels(nodeName: string): Readonly<Record<string, string>>;
  nodeAddress(nodeName: string): string | undefined;
}

export interface Embed {
  readonly tasks: boolean;
  readonly lastTaskFailure: boolean;
  readonly taskStats: boolean;
  readonly readiness: boolean;
}

export function renderApp(app: App, view: RenderView, embed: Embed): object {
  const { definition } = app.spec;
  const instances = view.podsOf(app).map((pod) => instanceOf(pod, definition));
  const tasks = instances.filter(isTask);
  const failure = embed.lastTaskFailure ? lastFailure(app, instances) : undefined;
  return {
    ...definition,
    tasksStaged: count(tasks, ({ condition }) => condition === "Staging"),
    tasksRunning: count(tasks, ({ condition }) => condition === "Running"),
    tasksHealthy: count(tasks, (task) => definition.healthChecks.length > 0 && task.isHealthy),
    tasksUnhealthy: count(tasks, ({ isUnhealthy }) => isUnhealthy),
    deployments: view.deploymentsOf(definition.id).map((id) => ({ id })),
    ...(embed.tasks ? { tasks: tasks.map((task) => renderTask(task, definition, view)) } : {}),
    ...(embed.readiness ? { readinessCheckResults: readinessResults(definition, tasks) } : {}),
    ...(failure ? { lastTaskFailure: failure } : {}),
    ...(embed.taskStats ? { taskStats: taskStats(definition, tasks) } : {}),
  };
}

function count(tasks: readonly Instance[], claim: (task: Instance) => boolean): number {
  return tasks.filter(claim).length;
}

/** What happened last, or what at present keeps an instance from starting. */
function lastFailure({ status, spec }: App, instances: readonly Instance[]): TaskFailure | undefined {
  const starting = instances.flatMap(({ pod }) => startFailureOf(spec.definition.id, pod) ?? []);
  const all = [...(status.lastTaskFailure ? [status.lastTaskFailure] : []), ...starting];
  return all.toSorted((a, b) => (a.timestamp < b.timestamp ? 1 : -1))[0];
}

export function renderTask(task: Instance, app: AppDefinition, view: RenderView): object {
  const { pod } = task;
  const nodeName = pod.spec.nodeName ?? "";
  const labels = view.nodeLabels(nodeName);
  const host = pod.status.hostIP ?? view.nodeAddress(nodeName) ?? nodeName;
  const address = isHostMode(app) ? host : (pod.status.podIP ?? pod.status.networkAddress);
  const results = healthResults(task, app);
  const { check } = checkIndexes(app);
  const checked = check === undefined ? undefined : pod.status.containerStatuses?.[0]?.healthResults?.[check];
  const servicePorts = portsOf(app).map(({ servicePort }) => servicePort);
  const region = labels[NODE_LABEL.region];
  const zone = labels[NODE_LABEL.zone];
  return {
    appId: app.id,
    ...(results.length > 0 ? { healthCheckResults: results } : {}),
    ...(checked ? { checkResult: renderCheck(app, checked) } : {}),
    host,
    id: task.taskId,
    ipAddresses: address === undefined ? [] : [{ ipAddress: address, protocol: "IPv4" }],
    ports: hostPorts(app, pod),
    servicePorts,
    slaveId: nodeName,
    state: taskState(task),
    stagedAt: timestamp(task.stagedAtMs),
    ...moment("startedAt", startedAt(pod), task.stagedAtMs),
    version: task.version,
    localVolumes: [],
    ...(region === undefined ? {} : { region }),
    ...(zone === undefined ? {} : { zone }),
    role: "*",
  };
}

const STATE: Readonly<Partial<Record<Instance["condition"], string>>> = {
  Staging: "TASK_STAGING",
  Running: "TASK_RUNNING",
  Killing: "TASK_KILLING",
  Unreachable: "TASK_UNREACHABLE",
  UnreachableInactive: "TASK_UNREACHABLE",
  Gone: "TASK_GONE",
};

export function taskState({ condition }: Instance): string {
  return STATE[condition] ?? "TASK_UNKNOWN";
}

function startedAt(pod: Pod): string | undefined {
  const state = pod.status.containerStatuses?.[0]?.state;
  return state?.running?.startedAt ?? state?.terminated?.startedAt;
}

/** The host ports, in the order of portIndex; mappings without one are left out, as in the original. */
function hostPorts(app: AppDefinition, pod: Pod): readonly number[] {
  const ports = pod.spec.containers[0]?.ports ?? [];
  return portNames(app).flatMap((wanted) => ports.find(({ name }) => name === wanted)?.hostPort ?? []);
}

function healthResults({ taskId, pod, stagedAtMs }: Instance, app: AppDefinition): readonly object[] {
  const results = pod.status.containerStatuses?.[0]?.healthResults ?? [];
  const instanceId = parseTaskId(taskId)?.instanceId ?? taskId;
  return results.slice(0, app.healthChecks.length).map((result) => renderHealth(result, instanceId, stagedAtMs));
}

function renderHealth(result: HealthResult, instanceId: string, stagedAtMs: number): object {
  const { alive, consecutiveFailures, firstSuccess, lastFailure, lastSuccess, lastFailureCause } = result;
  return {
    alive,
    consecutiveFailures,
    ...moment("firstSuccess", firstSuccess, stagedAtMs),
    ...moment("lastFailure", lastFailure, stagedAtMs),
    ...moment("lastSuccess", lastSuccess, stagedAtMs),
    ...(lastFailureCause === undefined ? {} : { lastFailureCause }),
    instanceId,
  };
}

/** Times of containers have whole seconds, Marathon's milliseconds: what comes after `notBeforeMs` must not seem to precede it. */
function moment(name: string, at: string | undefined, notBeforeMs = 0): Readonly<Record<string, string>> {
  const ms = at === undefined ? undefined : parseTimestamp(at);
  return ms === undefined ? {} : { [name]: timestamp(Math.max(ms, notBeforeMs)) };
}

/** Whether it succeeded is all we know; Marathon shows the status or exit code. */
function renderCheck({ check }: AppDefinition, { alive }: HealthResult): object {
  if (check?.exec) return { command: { exitCode: alive ? 0 : 1 } };
  return check?.tcp ? { tcp: { succeeded: alive } } : { http: { statusCode: alive ? 200 : 500 } };
}

export function readinessResults(
  { readinessChecks = [] }: AppDefinition,
  tasks: readonly Instance[],
): readonly object[] {
  return readinessChecks.flatMap(({ name }) => tasks.map(({ taskId, isReady }) => ({ name, taskId, ready: isReady })));
}

function taskStats(app: AppDefinition, tasks: readonly Instance[]): object {
  const latest = tasks.filter(({ configVersion }) => configVersion === app.versionInfo.lastConfigChangeAt);
  const outdated = tasks.filter((task) => !latest.includes(task));
  const groups = { startedAfterLastScaling: latest.filter(({ version }) => version === app.version) };
  const named = { ...groups, withLatestConfig: latest, withOutdatedConfig: outdated, totalSummary: tasks };
  const filled = Object.entries(named).filter(([, members]) => members.length > 0);
  return Object.fromEntries(filled.map(([name, members]) => [name, { stats: { counts: counts(members) } }]));
}

function counts(tasks: readonly Instance[]): object {
  return {
    staged: count(tasks, ({ condition }) => condition === "Staging"),
    running: count(tasks, ({ condition }) => condition === "Running"),
    healthy: count(tasks, ({ isHealthy }) => isHealthy),
    unhealthy: count(tasks, ({ isUnhealthy }) => isUnhealthy),
  };
}
