/** Groups are the folders of app ids. One that was named as such is an object; any other is there as long as an app is in it. */
import type { Reader, Tx } from "../../store/transaction.ts";
import type { AppChange } from "./deploy.ts";
import { visibleApp, visibleApps } from "./deploy.ts";
import { invalidObject } from "./errors.ts";
import { absoluteId, groupsAbove, isWithin, nameOfId, parentOf } from "./ids.ts";
import { API_VERSION, type AppGroup, appGroups, appKey, NAMESPACE } from "./kinds.ts";
import { normalizeApp } from "./normalize.ts";
import type { GroupUpdate } from "./schema.ts";
import { timestamp } from "./timestamp.ts";
import { assertValid, idWithin } from "./validate.ts";

/** Every group there is: named ones, those that hold apps, and `/`. */
export function groupIds(reader: Reader): ReadonlySet<string> {
  const named = reader.list(appGroups, NAMESPACE).map(({ spec }) => spec.id);
  const ids = new Set<string>(["/", ...named, ...named.flatMap(groupsAbove)]);
  for (const { spec } of visibleApps(reader)) for (const id of groupsAbove(spec.definition.id)) ids.add(id);
  return ids;
}

export function groupObject(reader: Reader, id: string): AppGroup | undefined {
  return reader.get(appGroups, appKey(groupName(id)));
}

/** What an update of a group asks of apps and groups. */
export interface GroupChanges {
  readonly apps: readonly AppChange[];
  readonly groups: readonly Pick<AppGroup["spec"], "id" | "dependencies">[];
  readonly removedGroups: readonly string[];
}

/** The apps and groups that a body contains replace those that are there; a list that it does not contain leaves them. */
export function changesOf(reader: Reader, groupId: string, update: GroupUpdate, prefix = ""): GroupChanges {
  const own = update.dependencies?.map((dependency) => absoluteId(dependency, parentOf(groupId)));
  const before = groupObject(reader, groupId)?.spec.dependencies ?? [];
  const nested = subgroupChanges(reader, groupId, update, prefix);
  return {
    apps: [...appChanges(reader, groupId, update, prefix), ...nested.flatMap(({ apps }) => apps)],
    groups: [{ id: groupId, dependencies: own ?? before }, ...nested.flatMap(({ groups }) => groups)],
    removedGroups: nested.flatMap(({ removedGroups }) => removedGroups),
  };
}

function appChanges(reader: Reader, groupId: string, update: GroupUpdate, prefix: string): readonly AppChange[] {
  if (update.apps === undefined) return [];
  const changes = update.apps.map((app, i): AppChange => {
    const path = `${prefix}/apps(${i})`;
    if (app.id === undefined) throw invalidObject([{ field: `${path}/id`, message: "error.path.missing" }]);
    const id = idWithin(app.id, groupId, `${path}/id`);
    if (parentOf(id) !== groupId) {
      throw invalidObject([{ field: `${path}/id`, message: `Identifier is not child of '${groupId}'` }]);
    }
    const { version: _, ...fields } = app;
    const target = normalizeApp(id, fields);
    assertValid(target, path);
    return { id, target };
  });
  const kept = new Set(changes.map(({ id }) => id));
  const gone = visibleApps(reader)
    .map(({ spec }) => spec.definition.id)
    .filter((id) => parentOf(id) === groupId && !kept.has(id));
  return [...changes, ...gone.map((id): AppChange => ({ id, target: undefined }))];
}

function subgroupChanges(
  reader: Reader,
  groupId: string,
  update: GroupUpdate,
  prefix: string,
): readonly GroupChanges[] {
  if (update.groups === undefined) return [];
  const changes = update.groups.map((group, i) => {
    const path = `${prefix}/groups(${i})`;
    if (group.id === undefined) throw invalidObject([{ field: `${path}/id`, message: "error.path.missing" }]);
    const id = idWithin(group.id, groupId, `${path}/id`);
    if (parentOf(id) !== groupId) {
      throw invalidObject([{ field: `${path}/id`, message: `Identifier is not child of '${groupId}'` }]);
    }
    return { id, changes: changesOf(reader, id, group, path) };
  });
  const kept = new Set(changes.map(({ id }) => id));
  const gone = [...groupIds(reader)].filter((id) => id !== "/" && parentOf(id) === groupId && !kept.has(id));
  return [...changes.map((change) => change.changes), ...gone.map((id) => removalOf(reader, id))];
}

export function removalOf(reader: Reader, groupId: string): GroupChanges {
  const within = (id: string) => id === groupId || isWithin(id, groupId);
  return {
    apps: visibleApps(reader)
      .filter(({ spec }) => isWithin(spec.definition.id, groupId))
      .map(({ spec }) => ({ id: spec.definition.id, target: undefined })),
    groups: [],
    removedGroups: [...groupIds(reader)].filter((id) => id !== "/" && within(id)),
  };
}

/** `scaleBy`: every app of the group and below, rounded up. */
export function scalingOf(reader: Reader, groupId: string, factor: number): GroupChanges {
  const apps = visibleApps(reader)
    .filter(({ spec }) => isWithin(spec.definition.id, groupId))
    .map(({ spec: { definition } }): AppChange => {
      const target = { ...definition, instances: Math.ceil(definition.instances * factor) };
      assertValid(target);
      return { id: definition.id, target };
    });
  return { apps, groups: [], removedGroups: [] };
}

/** Writes down the groups themselves; their apps are deploy's. */
export function writeGroups(tx: Tx, { groups, removedGroups }: GroupChanges): void {
  for (const { id, dependencies } of groups) {
    const clash = visibleApp(tx, id);
    if (clash) {
      const message = "Groups and Applications may not have the same identifier.";
      throw invalidObject([{ field: "/id", message }]);
    }
    const present = groupObject(tx, id);
    const spec = { id, dependencies, version: timestamp(tx.nowMs) };
    if (present) tx.update(appGroups, { ...present, spec: { ...present.spec, ...spec } });
    else {
      const metadata = { name: groupName(id), namespace: NAMESPACE };
      tx.create(appGroups, { apiVersion: API_VERSION, kind: "AppGroup", metadata, spec });
    }
  }
  for (const id of removedGroups) tx.remove(appGroups, appKey(groupName(id)));
}

/** No id has a `_`, so the root's name is free. */
function groupName(id: string): string {
  return id === "/" ? "_" : nameOfId(id);
}
