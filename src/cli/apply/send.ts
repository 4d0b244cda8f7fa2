/** Sends one item to its dialect's own API. */
import { ClientError } from "../../client/client-error.ts";
import { type Answer, type Connection, parseAnswer } from "../../client/connection.ts";
import { warningsOf } from "../../client/dialects/dialect-error.ts";
import { type DesiredState, getUnit, putUnit } from "../../client/dialects/fleet.ts";
import {
  createObject,
  getObject,
  type KubernetesObject,
  namespaceOf,
  patchObject,
} from "../../client/dialects/kubernetes.ts";
import { createMarathon, getMarathon, type MarathonKind, replaceMarathon } from "../../client/dialects/marathon.ts";
import type { UnitOption } from "../../model/pod.ts";
import type { WaitTarget } from "../wait/judge.ts";
import type { Item } from "./item.ts";
import { desiredStateOf } from "./plan-batch.ts";
import { LAST_APPLIED, patchFor, withLastApplied } from "./three-way-patch.ts";

type Verb = "created" | "configured" | "started" | "unchanged" | "kept as a template";

export interface Sent {
  readonly verb: Verb;
  readonly warnings: readonly string[];
  /** What to wait for, by its full name. */
  readonly waitsFor: readonly WaitTarget[];
  /** A Marathon change in progress. */
  readonly deployment?: string;
}

export function send(connection: Connection, item: Item, batch: ReadonlySet<string>): Promise<Sent> {
  switch (item.dialect) {
    case "fleet":
      return sendUnit(connection, item, desiredStateOf(item.name, batch));
    case "fleet-instance":
      return sendInstance(connection, item.name, item.template);
    case "marathon":
      return sendMarathon(connection, item.kind, item.id, item.body);
    case "kubernetes":
      return sendObject(connection, item.object);
  }
}

async function sendUnit(
  connection: Connection,
  { name, options, lines }: Pick<Extract<Item, { dialect: "fleet" }>, "name" | "options" | "lines">,
  desiredState: DesiredState,
): Promise<Sent> {
  const before = await getUnit(connection, name);
  const isSame = before !== undefined && sameOptions(before.options, options);
  const waitsFor = desiredState === "launched" ? [{ dialect: "fleet", name }] : [];
  if (isSame && before.desiredState === desiredState) return { verb: "unchanged", warnings: [], waitsFor };
  const unit = { name, options, desiredState, ...(lines === undefined ? {} : { lines }) };
  const answer = await putUnit(connection, isSame ? { name, desiredState } : unit);
  const warnings = warningsOf(answer);
  if (desiredState === "inactive") return { verb: "kept as a template", warnings, waitsFor };
  return { verb: before === undefined ? "created" : isSame ? "started" : "configured", warnings, waitsFor };
}

function sameOptions(a: readonly UnitOption[], b: readonly UnitOption[]): boolean {
  const same = ({ section, name, value }: UnitOption, other: UnitOption | undefined) =>
    section === other?.section && name === other.name && value === other.value;
  return a.length === b.length && a.every((option, at) => same(option, b[at]));
}

async function sendInstance(connection: Connection, name: string, template: string): Promise<Sent> {
  const before = await getUnit(connection, name);
  const source = before ?? (await getUnit(connection, template));
  if (!source) throw new ClientError(`there is no file ${name}, and no template ${template} here or on the server`);
  return sendUnit(connection, { name, options: source.options }, "launched");
}

async function sendMarathon(connection: Connection, kind: MarathonKind, id: string, body: object): Promise<Sent> {
  const before = await getMarathon(connection, kind, id);
  const waitsFor = kind === "Group" ? appIdsOf(body, "/") : [id];
  // POST takes the id from the body; PUT on a group or app that is there replaces it.
  const answer =
    before === undefined
      ? await createMarathon(connection, kind, body)
      : await replaceMarathon(connection, kind, id, body);
  const verb = before === undefined ? "created" : await changedVerb(connection, kind, id, before);
  const deployment = deploymentOf(answer);
  return {
    verb,
    warnings: warningsOf(answer),
    waitsFor: waitsFor.map((name) => ({ dialect: "marathon", name })),
    ...(deployment === undefined ? {} : { deployment }),
  };
}

/** Marathon gives every PUT a version; whether anything changed is told by versionInfo alone. */
async function changedVerb(connection: Connection, kind: MarathonKind, id: string, before: object): Promise<Verb> {
  const after = await getMarathon(connection, kind, id);
  const changedAt = versionText(before);
  return changedAt !== undefined && after !== undefined && versionText(after) === changedAt
    ? "unchanged"
    : "configured";
}

/** GET /v2/apps/ID wraps the app; groups and pods come bare. */
function versionText(answered: object): string | undefined {
  const { app, version } = answered as { app?: { versionInfo?: object; version?: string }; version?: string };
  return app?.versionInfo === undefined ? (app?.version ?? version) : JSON.stringify(app.versionInfo);
}

function deploymentOf({ text }: Answer): string | undefined {
  const body = parseAnswer(text, "a change") as { deploymentId?: string; deployments?: { id?: string }[] };
  return body.deploymentId ?? body.deployments?.[0]?.id;
}

/** Ids of the apps below a group, absolute. */
function appIdsOf(group: object, parent: string): readonly string[] {
  const { id = "", apps = [], groups = [] } = group as { id?: string; apps?: { id: string }[]; groups?: object[] };
  const here = resolveId(id, parent);
  return [...apps.map((app) => resolveId(app.id, here)), ...groups.flatMap((inner) => appIdsOf(inner, here))];
}

function resolveId(id: string, parent: string): string {
  return id.startsWith("/") ? id : `${parent === "/" ? "" : parent}/${id}`;
}

async function sendObject(connection: Connection, given: KubernetesObject): Promise<Sent> {
  const wanted = given.metadata.name === undefined ? given : withLastApplied(given);
  const created = await createObject(connection, wanted);
  if (created) {
    const { metadata } = parseAnswer(created.text, given.kind) as KubernetesObject;
    const named = { ...given, metadata: { ...given.metadata, ...(metadata.name ? { name: metadata.name } : {}) } };
    return { verb: "created", warnings: warningsOf(created), waitsFor: waitsForObject(named) };
  }
  const before = await getObject(connection, given);
  if (!before) throw new ClientError(`${given.kind} ${given.metadata.name} was deleted while it was applied`);
  const answer = await patchObject(connection, given, patchFor(before.metadata.annotations?.[LAST_APPLIED], wanted));
  const after = parseAnswer(answer.text, given.kind) as KubernetesObject;
  const isSame = after.metadata.resourceVersion === before.metadata.resourceVersion;
  return {
    verb: isSame ? "unchanged" : "configured",
    warnings: warningsOf(answer),
    waitsFor: waitsForObject(given),
  };
}

/** Only what runs is waited for. */
const RUNNING_KINDS = ["Pod", "ReplicationController", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job"];

function waitsForObject(object: KubernetesObject): readonly WaitTarget[] {
  if (!RUNNING_KINDS.includes(object.kind)) return [];
  const { kind, metadata } = object;
  return [{ dialect: "kubernetes", kind, name: metadata.name ?? "", namespace: namespaceOf(object) }];
}
