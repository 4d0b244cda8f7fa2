/** /v2/groups: apps by folder (specification 1.6, 2.2). */
import type { RequestContext, Route } from "../../../http/route.ts";
import { ApiError } from "../../../model/errors.ts";
import type { Reader } from "../../../store/transaction.ts";
import type { PersonalityContext } from "../../personality.ts";
import { type AppChange, deploy, dryRun, visibleApp, visibleApps } from "../deploy.ts";
import { invalidObject, noSuchGroup } from "../errors.ts";
import { changesOf, type GroupChanges, groupIds, groupObject, removalOf, scalingOf, writeGroups } from "../groups.ts";
import { absoluteId, isWithin, nameOfId } from "../ids.ts";
import { appGroups } from "../kinds.ts";
import { checkShape, readJson } from "../read-body.ts";
import { renderApp } from "../render.ts";
import { type GroupEmbed, groupVersions, renderGroup } from "../render-group.ts";
import { type GroupUpdate, groupUpdateSchema } from "../schema.ts";
import { idWithin } from "../validate.ts";
import { versionsOf } from "../versions.ts";
import { viewOf } from "../view.ts";
import { answer, deploymentAnswer, flag } from "./answer.ts";
import { idOf } from "./app-id.ts";
import { embedsOf } from "./apps.ts";

const READ = { verb: "read", resource: "groups" } as const;
const WRITE = { verb: "write", resource: "groups" } as const;

export function groupRoutes({ store, random }: PersonalityContext): readonly Route[] {
  const atRootAndBelow = (route: Omit<Route, "path">): readonly Route[] => [
    { ...route, path: "/v2/groups" },
    { ...route, path: "/v2/groups/" },
    { ...route, path: "/v2/groups/:id{.+}" },
  ];
  return [
    { method: "GET", path: "/v2/groups/versions", access: READ, handle: (_, context) => listVersions(context) },
    { method: "GET", path: "/v2/groups/:id{.+}/versions", access: READ, handle: (_, context) => listVersions(context) },
    { method: "GET", path: "/v2/groups/:id{.+}/apps", access: READ, handle: (_, context) => listApps(context) },
    ...atRootAndBelow({ method: "GET", access: READ, handle: (_, context) => readGroup(context) }),
    ...atRootAndBelow({ method: "POST", access: WRITE, handle: createGroup }),
    ...atRootAndBelow({ method: "PUT", access: WRITE, handle: changeGroup }),
    ...atRootAndBelow({ method: "PATCH", access: WRITE, handle: patchGroup }),
    ...atRootAndBelow({ method: "DELETE", access: WRITE, handle: (_, context) => deleteGroup(context) }),
  ];

  function readGroup(context: RequestContext): Response {
    const id = existing(store, context);
    return answer(renderGroup(store, id, groupEmbedsOf(context.url)), context);
  }

  function listVersions(context: RequestContext): Response {
    return answer(groupVersions(store, existing(store, context)).toReversed(), context);
  }

  function listApps(context: RequestContext): Response {
    const id = existing(store, context);
    const inside = visibleApps(store).filter(({ spec }) => isWithin(spec.definition.id, id));
    return answer({ apps: inside.map((app) => renderApp(app, viewOf(store), embedsOf(context.url))) }, context);
  }

  async function createGroup(request: Request, context: RequestContext): Promise<Response> {
    const update = checkShape(groupUpdateSchema, await readJson(request));
    const base = groupIdOf(context);
    const id = update.id === undefined ? base : idWithin(update.id, base);
    const result = await store.update((tx) => {
      if (visibleApp(tx, id)) throw new ApiError("AlreadyExists", `An app with the path ${id} already exists.`);
      if (groupIds(tx).has(id) && (id !== "/" || visibleApps(tx).length > 0)) {
        throw new ApiError("AlreadyExists", `Group ${id} is already created. Use PUT to change this group.`);
      }
      const changes = changesOf(tx, id, update);
      writeGroups(tx, changes);
      return deploy(tx, onceEach(changes.apps), { force: flag(context, "force", false), random });
    });
    return deploymentAnswer(result, context, { status: 201, location: id });
  }

  async function changeGroup(request: Request, context: RequestContext): Promise<Response> {
    const update = checkShape(groupUpdateSchema, await readJson(request));
    const id = groupIdOf(context);
    if (update.id !== undefined && absoluteId(update.id, id) !== id && idWithin(update.id) !== id) {
      throw invalidObject([{ field: "/id", message: `must be the id in the path, ${id}` }]);
    }
    const force = flag(context, "force", false);
    if (flag(context, "dryRun", false))
      return answer({ steps: dryRun(store, groupChanges(store, id, update).apps) }, context);
    const result = await store.update((tx) => {
      const changes = groupChanges(tx, id, update);
      writeGroups(tx, changes);
      return deploy(tx, onceEach(changes.apps), { force, random });
    });
    return deploymentAnswer(result, context);
  }

  /** Only enforceRole can be patched. */
  async function patchGroup(request: Request, context: RequestContext): Promise<Response> {
    const { enforceRole } = checkShape(groupUpdateSchema, await readJson(request));
    await store.update((tx) => {
      const id = existing(tx, context);
      const present = groupObject(tx, id);
      if (!present) writeGroups(tx, { apps: [], groups: [{ id, dependencies: [] }], removedGroups: [] });
      const group = groupObject(tx, id);
      if (group && enforceRole !== undefined) tx.update(appGroups, { ...group, spec: { ...group.spec, enforceRole } });
    });
    return answer(undefined, context, { status: 200 });
  }

  async function deleteGroup(context: RequestContext): Promise<Response> {
    const force = flag(context, "force", false);
    const result = await store.update((tx) => {
      const changes = removalOf(tx, existing(tx, context));
      writeGroups(tx, changes);
      return deploy(tx, changes.apps, { force, random });
    });
    return deploymentAnswer(result, context);
  }
}

function groupIdOf(context: RequestContext): string {
  return context.params.id === undefined ? "/" : idOf(context);
}

function existing(reader: Reader, context: RequestContext): string {
  const id = groupIdOf(context);
  if (!groupIds(reader).has(id)) throw noSuchGroup(id);
  return id;
}

/** A body asks for one thing: an earlier version, a factor, or other contents. */
function groupChanges(reader: Reader, id: string, update: GroupUpdate): GroupChanges {
  if (update.version !== undefined) return rollbackOf(reader, id, update.version);
  if (update.scaleBy !== undefined) {
    if (!groupIds(reader).has(id)) throw noSuchGroup(id);
    return scalingOf(reader, id, update.scaleBy);
  }
  return changesOf(reader, id, update);
}

/** Each app as it was at that version; apps that came later go. */
function rollbackOf(reader: Reader, id: string, version: string): GroupChanges {
  if (!groupVersions(reader, id).includes(version)) {
    throw new ApiError("NotFound", `Group '${id}' does not exist in version ${version}`);
  }
  const apps = visibleApps(reader)
    .map(({ spec }) => spec.definition.id)
    .filter((appId) => isWithin(appId, id))
    .map((appId): AppChange => {
      const earlier = versionsOf(reader, nameOfId(appId)).filter((one) => one.version <= version);
      return { id: appId, target: earlier.at(-1) };
    });
  return { apps, groups: [], removedGroups: [] };
}

function onceEach(changes: readonly AppChange[]): readonly AppChange[] {
  const ids = changes.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw invalidObject([{ field: "/", message: `app ${twice} is given more than once` }]);
  return changes;
}

/** Without any `group.*` embed a group shows all it has. */
function groupEmbedsOf(url: URL): GroupEmbed {
  const asked = new Set(url.searchParams.getAll("embed"));
  const parts = ["group.apps", "group.groups", "group.pods"] as const;
  const all = !parts.some((part) => asked.has(part));
  const details = [...asked].some((text) => /^(group\.)?apps\./.test(text));
  return {
    ...embedsOf(url),
    details,
    apps: all || asked.has("group.apps") || details,
    groups: all || asked.has("group.groups"),
    pods: all || asked.has("group.pods"),
  };
}
