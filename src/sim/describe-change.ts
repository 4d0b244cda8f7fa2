/** One change of the store in a line for people. */
import { disruptionOf } from "../model/disruption.ts";
import type { StoredObject } from "../model/meta.ts";
import type { Node } from "../model/node.ts";
import type { Pod } from "../model/pod.ts";
import type { Change } from "../store/transaction.ts";

export function wordsOf({ type, kind, key, object, before, revision }: Change): string {
  const facts = type === "removed" ? "" : differences(factsOf(kind.name, before), factsOf(kind.name, object));
  return `${revision} ${type.padEnd(8)} ${kind.name} ${key}${facts === "" ? "" : `  ${facts}`}`;
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
