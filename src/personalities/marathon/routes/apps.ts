/** /v2/apps: reading and changing apps (specification 2.1). */
import type { RequestContext, Route } from "../../../http/route.ts";
import { ApiError } from "../../../model/errors.ts";
import type { Tx } from "../../../store/transaction.ts";
import type { PersonalityContext } from "../../personality.ts";
import type { AppBody } from "../app-definition.ts";
import { matchesFilters, parseFilters } from "../app-filters.ts";
import { type AppChange, deploy, visibleApp, visibleApps } from "../deploy.ts";
import { invalidJson, invalidObject, noSuchApp } from "../errors.ts";
import { isWithin, nameOfId } from "../ids.ts";
import { normalizeApp } from "../normalize.ts";
import { checkShape, readJson } from "../read-body.ts";
import { type Embed, renderApp } from "../render.ts";
import { type AppUpdate, appUpdateListSchema, appUpdateSchema } from "../schema.ts";
import { assertValid, idWithin } from "../validate.ts";
import { versionsOf } from "../versions.ts";
import { viewOf } from "../view.ts";
import { answer, deploymentAnswer, flag, withWarnings } from "./answer.ts";
import { groupOf, idOf } from "./app-id.ts";

const READ = { verb: "read", resource: "apps" } as const;
const WRITE = { verb: "write", resource: "apps" } as const;

export function appRoutes({ store, random }: PersonalityContext): readonly Route[] {
  return [
    { method: "GET", path: "/v2/apps", access: READ, handle: (_, context) => listApps(context) },
    { method: "GET", path: "/v2/apps/", access: READ, handle: (_, context) => listApps(context) },
    { method: "POST", path: "/v2/apps", access: WRITE, handle: createApp },
    { method: "POST", path: "/v2/apps/", access: WRITE, handle: createApp },
    {
      method: "PUT",
      path: "/v2/apps",
      access: WRITE,
      handle: (request, context) => changeApps(request, context, true),
    },
    {
      method: "PATCH",
      path: "/v2/apps",
      access: WRITE,
      handle: (request, context) => changeApps(request, context, false),
    },
    { method: "GET", path: "/v2/apps/:id{.+}", access: READ, handle: (_, context) => readApp(context) },
    { method: "PUT", path: "/v2/apps/:id{.+}", access: WRITE, handle: putApp },
    { method: "PATCH", path: "/v2/apps/:id{.+}", access: WRITE, handle: patchApp },
    { method: "DELETE", path: "/v2/apps/:id{.+}", access: WRITE, handle: (_, context) => deleteApp(context) },
    { method: "POST", path: "/v2/apps/:id{.+}/restart", access: WRITE, handle: (_, context) => restartApp(context) },
  ];

  function listApps(context: RequestContext): Response {
    const filters = parseFilters(context.url.searchParams);
    const embed = embedsOf(context.url);
    const view = viewOf(store);
    const found = visibleApps(store).filter(({ spec }) => matchesFilters(spec.definition, filters));
    return answer({ apps: found.map((app) => renderApp(app, view, embed)) }, context);
  }

  function readApp(context: RequestContext): Response {
    const view = viewOf(store);
    const group = groupOf(context);
    if (group !== undefined) {
      const members = visibleApps(store).filter(({ spec }) => isWithin(spec.definition.id, group));
      const embed = embedsOf(context.url);
      return answer({ "*": members.map((app) => renderApp(app, view, embed)) }, context);
    }
    const id = idOf(context);
    const app = visibleApp(store, id);
    if (!app) throw noSuchApp(id);
    const asked = embedsOf(context.url);
    const embed = {
      ...asked,
      tasks: true,
      lastTaskFailure: true,
      readiness: app.spec.definition.readinessChecks !== undefined,
    };
    return answer({ app: renderApp(app, view, embed) }, context);
  }

  async function createApp(request: Request, context: RequestContext): Promise<Response> {
    const update = checkShape(appUpdateSchema, await readJson(request));
    const target = newApp(update);
    const force = flag(context, "force", false);
    const { app, deploymentId, warnings } = await store.update((tx) => {
      if (visibleApp(tx, target.id)) throw taken(target.id);
      const result = deploy(tx, [{ id: target.id, target }], { force, random });
      const created = visibleApp(tx, target.id);
      if (!created) throw noSuchApp(target.id);
      return { app: renderApp(created, viewOf(tx), NO_EMBED), ...result };
    });
    const headers = { Location: target.id, "Marathon-Deployment-Id": deploymentId };
    return answer({ ...app, tasks: [] }, context, { status: 201, headers: withWarnings(headers, warnings) });
  }

  async function changeApps(request: Request, context: RequestContext, mayCreate: boolean): Promise<Response> {
    const updates = checkShape(appUpdateListSchema, await readJson(request));
    const force = flag(context, "force", false);
    const partial = flag(context, "partialUpdate", true);
    const result = await store.update((tx) => {
      const changes = updates.map((update, i): AppChange => {
        if (update.id === undefined) throw invalidJson([{ field: `(${i})/id`, message: "error.path.missing" }]);
        const id = idWithin(update.id, "/", `(${i})/id`);
        return {
          id,
          target: targetOf(tx, id, update, { partial: partial || !mayCreate, mayCreate, prefix: `(${i})` }),
        };
      });
      assertOnce(changes);
      return deploy(tx, changes, { force, random });
    });
    return deploymentAnswer(result, context);
  }

  async function putApp(request: Request, context: RequestContext): Promise<Response> {
    const id = idOf(context);
    const update = checkShape(appUpdateSchema, await readJson(request));
    const partial = flag(context, "partialUpdate", true);
    return changeApp(context, id, update, { partial, mayCreate: true });
  }

  async function patchApp(request: Request, context: RequestContext): Promise<Response> {
    const id = idOf(context);
    const update = checkShape(appUpdateSchema, await readJson(request));
    return changeApp(context, id, update, { partial: true, mayCreate: false });
  }

  async function changeApp(
    context: RequestContext,
    id: string,
    update: AppUpdate,
    how: { readonly partial: boolean; readonly mayCreate: boolean },
  ): Promise<Response> {
    if (update.id !== undefined && idWithin(update.id) !== id) {
      throw invalidObject([{ field: "/id", message: `must be the id in the path, ${id}` }]);
    }
    const force = flag(context, "force", false);
    const { result, existed } = await store.update((tx) => {
      const existed = visibleApp(tx, id) !== undefined;
      const target = targetOf(tx, id, update, how);
      return { result: deploy(tx, [{ id, target }], { force, random }), existed };
    });
    return deploymentAnswer(result, context, existed ? {} : { status: 201, location: id });
  }

  async function deleteApp(context: RequestContext): Promise<Response> {
    const id = idOf(context);
    // Deleting is not held up by a running deployment unless asked to be (AppsResource.scala: force defaults to true).
    const force = flag(context, "force", true);
    const result = await store.update((tx) => {
      if (!visibleApp(tx, id)) throw noSuchApp(id);
      return deploy(tx, [{ id, target: undefined }], { force, random });
    });
    return deploymentAnswer(result, context);
  }

  async function restartApp(context: RequestContext): Promise<Response> {
    const id = idOf(context);
    const force = flag(context, "force", false);
    const result = await store.update((tx) => {
      const app = visibleApp(tx, id);
      if (!app) throw noSuchApp(id);
      return deploy(tx, [{ id, target: app.spec.definition, restart: true }], { force, random });
    });
    return deploymentAnswer(result, context);
  }
}

function newApp(update: AppUpdate): AppBody {
  if (update.id === undefined) throw invalidJson([{ field: "/id", message: "error.path.missing" }]);
  const app = normalizeApp(idWithin(update.id), update);
  assertValid(app);
  return app;
}

function taken(id: string): ApiError {
  return new ApiError("AlreadyExists", `An app with id [${id}] already exists.`, { kind: "App", name: id });
}

interface TargetOptions {
  /** Keys that are not given stay as they are; otherwise they get their defaults. */
  readonly partial: boolean;
  readonly mayCreate: boolean;
  /** The path of this app in the request. */
  readonly prefix?: string;
}

/** The app that an update asks for. A lone `version` asks for an earlier one. */
function targetOf(tx: Tx, id: string, update: AppUpdate, { partial, mayCreate, prefix = "" }: TargetOptions): AppBody {
  const app = visibleApp(tx, id);
  if (!app && !mayCreate) throw noSuchApp(id);
  if (update.version !== undefined) {
    if (Object.keys(update).some((key) => key !== "id" && key !== "version")) {
      const message = "The 'version' field may only be combined with the 'id' field.";
      throw invalidObject([{ field: prefix === "" ? "/" : prefix, message }]);
    }
    const earlier = versionsOf(tx, nameOfId(id)).find(({ version }) => version === update.version);
    if (!app || !earlier) throw noSuchApp(id, update.version);
    return earlier;
  }
  const target = normalizeApp(id, update, partial ? app?.spec.definition : undefined);
  assertValid(target, prefix);
  return target;
}

function assertOnce(changes: readonly AppChange[]): void {
  const ids = changes.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw invalidObject([{ field: "/", message: `app ${twice} is given more than once` }]);
}

const NO_EMBED: Embed = { tasks: false, lastTaskFailure: false, taskStats: false, readiness: false };

/** `apps.tasks`, `app.tasks`, `group.apps.tasks` and `tasks` are the same; unknown ones are ignored. */
export function embedsOf(url: URL): Embed {
  const asked = new Set(url.searchParams.getAll("embed").map((text) => text.replace(/^(group\.apps|apps|app)\./, "")));
  const failures = asked.has("failures");
  return {
    tasks: asked.has("tasks") || failures,
    lastTaskFailure: asked.has("lastTaskFailure") || failures,
    taskStats: asked.has("taskStats"),
    readiness: asked.has("readiness"),
  };
}
