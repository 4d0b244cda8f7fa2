/** Tasks of one app, of a group and of all; killing them, with and without scaling (specification 2.1, 2.2). */
import type { RequestContext, Route } from "../../../http/route.ts";
import { ApiError } from "../../../model/errors.ts";
import { OWNER_INDEX } from "../../../model/meta.ts";
import { pods } from "../../../model/pod.ts";
import { deletePod } from "../../../store/delete-pod.ts";
import type { Reader, Tx } from "../../../store/transaction.ts";
import type { PersonalityContext } from "../../personality.ts";
import { type AppChange, type DeployResult, deploy, visibleApp, visibleApps } from "../deploy.ts";
import { noSuchApp, noSuchGroup, noSuchTask } from "../errors.ts";
import { isWithin, parseTaskId } from "../ids.ts";
import { type Instance, instanceOf, isActive, isTask } from "../instance.ts";
import { type App, appKey, apps } from "../kinds.ts";
import { checkShape, readJson } from "../read-body.ts";
import { renderTask } from "../render.ts";
import { taskIdsSchema } from "../schema.ts";
import { viewOf } from "../view.ts";
import { answer, deploymentAnswer, flag } from "./answer.ts";
import { groupOf, idOf } from "./app-id.ts";

const READ = { verb: "read", resource: "tasks" } as const;
const WRITE = { verb: "write", resource: "tasks" } as const;

export function taskRoutes({ store, random }: PersonalityContext): readonly Route[] {
  return [
    { method: "GET", path: "/v2/tasks", access: READ, handle: (_, context) => listTasks(context) },
    { method: "POST", path: "/v2/tasks/delete", access: WRITE, handle: killTasks },
    { method: "GET", path: "/v2/apps/:id{.+}/tasks", access: READ, handle: (_, context) => listAppTasks(context) },
    { method: "DELETE", path: "/v2/apps/:id{.+}/tasks", access: WRITE, handle: (_, context) => killAppTasks(context) },
    {
      method: "DELETE",
      path: "/v2/apps/:id{.+}/tasks/:taskId",
      access: WRITE,
      handle: (_, context) => killAppTask(context),
    },
  ];

  function listTasks(context: RequestContext): Response {
    const asked = [...context.url.searchParams.getAll("status"), ...context.url.searchParams.getAll("status[]")];
    const wanted = new Set(asked.map((text) => text.toLowerCase()));
    const shown = tasksOf(store, visibleApps(store)).filter(
      ({ task: { condition } }) => wanted.size === 0 || wanted.has(condition.toLowerCase()),
    );
    return answer({ tasks: renderAll(shown) }, context);
  }

  function listAppTasks(context: RequestContext): Response {
    return answer({ tasks: renderAll(tasksOf(store, appsOf(store, context))) }, context);
  }

  function renderAll(found: readonly AppTask[]): readonly object[] {
    const view = viewOf(store);
    return found.map(({ app, task }) => renderTask(task, app.spec.definition, view));
  }

  async function killAppTasks(context: RequestContext): Promise<Response> {
    const how = killOptions(context);
    const host = context.url.searchParams.get("host") ?? "*";
    const result = await store.update((tx) => {
      const view = viewOf(tx);
      const isOn = ({ task }: AppTask) => {
        const { nodeName = "" } = task.pod.spec;
        return [nodeName, task.pod.status.hostIP, view.nodeAddress(nodeName)].includes(host);
      };
      return killThem(
        tx,
        tasksOf(tx, appsOf(tx, context)).filter((found) => host === "*" || isOn(found)),
        how,
      );
    });
    return answerKill(result, context, (tasks) => ({ tasks }));
  }

  async function killAppTask(context: RequestContext): Promise<Response> {
    const how = killOptions(context);
    const id = idOf(context);
    const taskId = context.params.taskId ?? "";
    const result = await store.update((tx) => {
      const app = visibleApp(tx, id);
      if (!app) throw noSuchApp(id);
      const found = tasksOf(tx, [app]).filter(({ task }) => isNamed(task, taskId));
      if (found.length === 0) throw noSuchTask(taskId);
      return killThem(tx, found, how);
    });
    return answerKill(result, context, ([task]) => ({ task }));
  }

  /** Ids of tasks that are gone already are no mistake; ids that cannot be a task's are. */
  async function killTasks(request: Request, context: RequestContext): Promise<Response> {
    const how = killOptions(context);
    const { ids } = checkShape(taskIdsSchema, await readJson(request));
    const result = await store.update((tx) => {
      const found = ids.flatMap((id) => {
        const parts = parseTaskId(id);
        if (!parts) throw badTaskId(id);
        const app = tx.get(apps, appKey(parts.appName));
        return app ? tasksOf(tx, [app]).filter(({ task }) => isNamed(task, id)) : [];
      });
      return killThem(tx, found, how);
    });
    return answerKill(result, context, (tasks) => ({ tasks }));
  }

  function killThem(tx: Tx, found: readonly AppTask[], { scale, force }: KillOptions): Killed {
    const view = viewOf(tx);
    const rendered = found.map(({ app, task }) => renderTask(task, app.spec.definition, view));
    if (!scale) {
      for (const { task } of found) deletePod(tx, task.pod);
      return { tasks: rendered };
    }
    // The instances named go, whatever the kill order would choose; what is wanted shrinks by as many.
    const byApp = Map.groupBy(found, ({ app }) => app.spec.definition.id);
    const changes = [...byApp].map(([id, members]): AppChange => {
      const definition = members[0]?.app.spec.definition;
      if (!definition) throw noSuchApp(id);
      const active = members.filter(({ task }) => isActive(task)).length;
      return { id, target: { ...definition, instances: Math.max(0, definition.instances - active) } };
    });
    const deployment = deploy(tx, changes, { force, random });
    for (const { task } of found) deletePod(tx, task.pod);
    return { tasks: rendered, deployment };
  }
}

interface AppTask {
  readonly app: App;
  readonly task: Instance;
}

interface KillOptions {
  readonly scale: boolean;
  readonly force: boolean;
}

interface Killed {
  readonly tasks: readonly object[];
  readonly deployment?: DeployResult;
}

function killOptions(context: RequestContext): KillOptions {
  const scale = flag(context, "scale", false);
  if (scale && flag(context, "wipe", false)) {
    throw new ApiError("BadRequest", "You cannot use scale and wipe at the same time.");
  }
  return { scale, force: flag(context, "force", false) };
}

function answerKill(
  { tasks, deployment }: Killed,
  context: RequestContext,
  wrap: (tasks: readonly object[]) => object,
) {
  return deployment ? deploymentAnswer(deployment, context) : answer(wrap(tasks), context);
}

/** The apps that a path names: one, or with `group/*` all of a group. */
function appsOf(reader: Reader, context: RequestContext): readonly App[] {
  const group = groupOf(context);
  if (group === undefined) {
    const id = idOf(context);
    const app = visibleApp(reader, id);
    if (!app) throw noSuchApp(id);
    return [app];
  }
  const members = visibleApps(reader).filter(({ spec }) => isWithin(spec.definition.id, group));
  if (members.length === 0 && group !== "/") throw noSuchGroup(group);
  return members;
}

function tasksOf(reader: Reader, of: readonly App[]): readonly AppTask[] {
  return of.flatMap((app) =>
    reader
      .by(pods, OWNER_INDEX, app.metadata.uid)
      .map((pod) => instanceOf(pod, app.spec.definition))
      .filter(isTask)
      .map((task) => ({ app, task })),
  );
}

/** By task id, or by the instance's. */
function isNamed(task: Instance, id: string): boolean {
  return task.taskId === id || parseTaskId(task.taskId)?.instanceId === id;
}

function badTaskId(id: string): ApiError {
  return new ApiError("BadRequest", `Invalid task id '${id}'. [Task id must be <app>.instance-<uuid>._app.<attempt>]`);
}
