/** An instance of an app as its pod tells it: what tasks, counts, upgrades and kill order are decided from. Pure. */
import { isTerminal, type Pod } from "../../model/pod.ts";
import { ANNOTATION } from "../../model/well-known.ts";
import type { AppDefinition } from "./app-definition.ts";
import { parseTimestamp } from "./timestamp.ts";
import { MARATHON_ANNOTATION } from "./translate.ts";
import { checkIndexes } from "./translate-health.ts";

/** In Marathon's words; `Scheduled` has no node yet and is not a task to clients. */
export type InstanceCondition = "Scheduled" | "Staging" | "Running" | "Killing" | "Unreachable" | "Ended";

export interface Instance {
  readonly taskId: string;
  readonly condition: InstanceCondition;
  /** `stagedAt` in milliseconds. */
  readonly stagedAtMs: number;
  /** Every health check of the app has succeeded, or it has none and runs. */
  readonly isHealthy: boolean;
  /** A health check has failed and has not succeeded since. */
  readonly isUnhealthy: boolean;
  /** Its readiness check, if the app has one, has succeeded. */
  readonly isReady: boolean;
  readonly version: string;
  readonly configVersion: string;
  readonly pod: Pod;
}

/** `app`: the definition whose health checks count. */
export function instanceOf(pod: Pod, app: AppDefinition): Instance {
  const annotations = pod.metadata.annotations ?? {};
  const condition = conditionOf(pod);
  const { health: wanted, readiness } = checkIndexes(app);
  const all = pod.status.containerStatuses?.[0]?.healthResults ?? [];
  const results = all.slice(0, wanted);
  const runs = condition === "Running";
  return {
    taskId: annotations[ANNOTATION.instance] ?? pod.metadata.name,
    condition,
    stagedAtMs: parseTimestamp(annotations[MARATHON_ANNOTATION.stagedAt] ?? pod.metadata.creationTimestamp) ?? 0,
    isHealthy: runs && (wanted === 0 || (results.length === wanted && results.every(({ alive }) => alive))),
    isUnhealthy: runs && results.some(({ alive, consecutiveFailures }) => !alive && consecutiveFailures > 0),
    isReady: runs && (readiness === undefined || all[readiness]?.alive === true),
    version: annotations[MARATHON_ANNOTATION.version] ?? "",
    configVersion: annotations[MARATHON_ANNOTATION.configVersion] ?? "",
    pod,
  };
}

function conditionOf(pod: Pod): InstanceCondition {
  if (isTerminal(pod)) return "Ended";
  if (pod.metadata.deletionTimestamp !== undefined) return "Killing";
  if (pod.status.phase === "Running") return "Running";
  if (pod.status.phase === "Unknown") return "Unreachable";
  return pod.spec.nodeName === undefined ? "Scheduled" : "Staging";
}

/** Counts towards the instances that are wanted. */
export function isActive({ condition }: Instance): boolean {
  return condition !== "Ended" && condition !== "Killing";
}

/** Known to clients: it has been given to a node and has not ended. */
export function isTask({ condition }: Instance): boolean {
  return condition !== "Ended" && condition !== "Scheduled";
}
