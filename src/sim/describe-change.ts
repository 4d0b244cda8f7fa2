/** One change of the store in a line for people. */
import { isDeepStrictEqual } from "node:util";
import { disruptionOf } from "../model/disruption.ts";
import type { StoredObject } from "../model/meta.ts";
import type { Node } from "../model/node.ts";
import type { Pod } from "../model/pod.ts";
import type { Change } from "../store/transaction.ts";

const FIELDS_SHOWN = 4;

export function wordsOf({ type, kind, key, object, before, revision }: Change): string {
  const facts = type === "removed" ? "" : differences(factsOf(kind.name, before), factsOf(kind.name, object));
  const more = facts === "" && type === "modified" && before !== undefined ? changedFields(before, object) : facts;
  return `${revision} ${type.padEnd(8)} ${kind.name} ${key}${more === "" ? "" : `  ${more}`}`;
}

/** What is no fact of the above: by name, so that nobody has to guess why something was written. */
function changedFields(before: StoredObject, now: StoredObject): string {
  const names = changedPaths(before, now).filter((name) => name !== "metadata.resourceVersion");
  const shown = names.slice(0, FIELDS_SHOWN).join(", ");
  if (names.length <= FIELDS_SHOWN) return `changed: ${shown || "nothing but the revision"}`;
  return `changed: ${shown} and ${names.length - FIELDS_SHOWN} more`;
}

/** `status.conditions[Ready].message`: list items by what they are called, or, when that does not tell them apart, by their place. */
function changedPaths(before: unknown, now: unknown, at = ""): readonly string[] {
  if (isDeepStrictEqual(before, now)) return [];
  const byName = areNamed(before) && areNamed(now);
  const [left, right] = [partsOf(before, byName), partsOf(now, byName)];
  if (left === undefined || right === undefined) return [at];
  const names = [...new Set([...left.keys(), ...right.keys()])].sort();
  const inner = (name: string) => (name.startsWith("[") || at === "" ? `${at}${name}` : `${at}.${name}`);
  return names.flatMap((name) => changedPaths(left.get(name), right.get(name), inner(name)));
}

function partsOf(value: unknown, byName: boolean): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  return new Map(value.map((item, place) => [`[${byName ? calledOf(item) : place}]`, item]));
}

/** Every item of a list has a name of its own. */
function areNamed(list: unknown): boolean {
  if (!Array.isArray(list)) return false;
  const names = list.map(calledOf);
  return !names.includes(undefined) && new Set(names).size === names.length;
}

function calledOf(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  const { type, name, key } = item as { type?: unknown; name?: unknown; key?: unknown };
  return [type, name, key].find((one): one is string => typeof one === "string");
}

function factsOf(kind: string, object: StoredObject | undefined): Readonly<Record<string, string>> {
  if (object === undefined) return {};
  if (kind === "Pod") return podFacts(object as Pod);
  if (kind === "Node") return nodeFacts(object as Node);
  const { reason, message, count } = object as { reason?: string; message?: string; count?: number };
  if (kind === "Event") return { event: `${reason ?? ""} x${count ?? 1}: ${message ?? ""}` };
  const { spec, status } = object as { spec?: { replicas?: number; desiredState?: string }; status?: object };
  return {
    ...(spec?.replicas === undefined ? {} : { replicas: String(spec.replicas) }),
    ...(spec?.desiredState === undefined ? {} : { desired: spec.desiredState }),
    ...(status === undefined ? {} : { status: JSON.stringify(status).slice(0, 160) }),
  };
}

function podFacts(pod: Pod): Readonly<Record<string, string>> {
  const { spec, status, metadata } = pod;
  const ready = status.conditions?.find((condition) => condition.type === "Ready");
  const waiting = status.containerStatuses?.map(({ state }) => state?.waiting?.reason).find(Boolean);
  const restarts = status.containerStatuses?.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
  const unscheduled = status.conditions?.find((one) => one.type === "PodScheduled" && one.status === "False");
  return {
    node: spec.nodeName ?? "",
    phase: status.phase,
    ready: ready?.status ?? "",
    waiting: waiting ?? "",
    restarts: String(restarts ?? 0),
    deleting: metadata.deletionTimestamp === undefined ? "" : "yes",
    disrupted: disruptionOf(pod)?.reason ?? "",
    unschedulable: unscheduled?.message ?? "",
    uid: metadata.uid,
  };
}

function nodeFacts({ spec, status }: Node): Readonly<Record<string, string>> {
  const conditions = (status.conditions ?? []).filter((one) => one.type === "Ready" || one.type === "Healthy");
  return {
    ...Object.fromEntries(conditions.map((one) => [one.type, `${one.status} ${one.reason ?? ""}`])),
    taints: (spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).join(" "),
    cordoned: spec.unschedulable ? "yes" : "",
    boot: status.nodeInfo?.bootID?.slice(0, 8) ?? "",
  };
}

function differences(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): string {
  return Object.entries(now)
    .filter(([name, value]) => value !== (before[name] ?? ""))
    .map(([name, value]) => `${name}=${value === "" ? "-" : value}`)
    .join(" ");
}
