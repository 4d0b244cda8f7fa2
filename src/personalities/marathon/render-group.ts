import type { Reader } from "../../store/transaction.ts";
import { visibleApps } from "./deploy.ts";
import { groupIds, groupObject } from "./groups.ts";
import { isWithin, nameOfId, parentOf } from "./ids.ts";
import type { App } from "./kinds.ts";
import { type Embed, renderApp } from "./render.ts";
import { timestamp } from "./timestamp.ts";
import { versionsOf } from "./versions.ts";
import { viewOf } from "./view.ts";

export interface GroupEmbed extends Embed {
  readonly apps: boolean;
  readonly groups: boolean;
  readonly pods: boolean;
  /** Counts and deployments of each app, not only its definition. */
  readonly details: boolean;
}

/** A group with what is in it; `pods` is always empty here. */
export function renderGroup(reader: Reader, id: string, embed: GroupEmbed): object {
  const all = visibleApps(reader);
  const ids = [...groupIds(reader)].sort();
  const render = (groupId: string): object => ({
    id: groupId,
    dependencies: groupObject(reader, groupId)?.spec.dependencies ?? [],
    version: groupVersion(reader, all, groupId),
    ...(embed.apps ? { apps: membersOf(all, groupId).map((app) => renderMember(reader, app, embed)) } : {}),
    ...(embed.groups
      ? { groups: ids.filter((child) => child !== "/" && parentOf(child) === groupId).map(render) }
      : {}),
    ...(embed.pods ? { pods: [] } : {}),
    enforceRole: groupObject(reader, groupId)?.spec.enforceRole ?? false,
  });
  return render(id);
}

function membersOf(all: readonly App[], groupId: string): readonly App[] {
  return all.filter(({ spec }) => parentOf(spec.definition.id) === groupId);
}

function renderMember(reader: Reader, app: App, embed: GroupEmbed): object {
  return embed.details ? renderApp(app, viewOf(reader), embed) : app.spec.definition;
}

/** A group is as new as the newest of what is in it. */
function groupVersion(reader: Reader, all: readonly App[], groupId: string): string {
  const inside = all.filter(({ spec }) => isWithin(spec.definition.id, groupId));
  const versions = inside.map(({ spec }) => spec.definition.version);
  const own = groupObject(reader, groupId)?.spec.version;
  return [...versions, ...(own === undefined ? [] : [own])].sort().at(-1) ?? timestamp(0);
}

/** Every version that an app of the group has had, oldest first. */
export function groupVersions(reader: Reader, groupId: string): readonly string[] {
  const inside = visibleApps(reader).filter(({ spec }) => isWithin(spec.definition.id, groupId));
  const versions = inside.flatMap(({ spec }) => versionsOf(reader, nameOfId(spec.definition.id)));
  return [...new Set(versions.map(({ version }) => version))].sort();
}
