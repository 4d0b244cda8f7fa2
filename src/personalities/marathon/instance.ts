/** An instance of an app as its pod tells it: what tasks, counts, upgrades and kill order are decided from. Pure. */
import { hasReturned, holdsItsPlace, isDisrupted } from "../../model/disruption.ts";
import { isOnLostNode } from "../../model/node-state.ts";
import { isTerminal, type Pod } from "../../model/pod.ts";
import { ANNOTATION } from "../../model/well-known.ts";
import { isExclusive } from "../../model/when-unreachable.ts";
import type { AppDefinition } from "./app-definition.ts";
import { parseTimestamp } from "./timestamp.ts";
import { MARATHON_ANNOTATION } from "./translate.ts";
import { checkIndexes } from "./translate-health.ts";

/**
 * In Marathon's words; `Scheduled` has no node yet and is not a task to clients. Of a node that is lost: `Unreachable` is
 * waited for, `UnreachableInactive` has been given up and replaced, `Gone` was forgotten after that (expunged) or is to be
 * killed. All three are what they were before when their node returns.
 */
export type InstanceCondition =
  | "Scheduled"
  | "Staging"
  | "Running"
  | "Killing"
  | "Unreachable"
  | "UnreachableInactive"
  | "Gone"
  | "Ended";

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
  /** It is moved from its node (drain, rebalance), and runs on until its successor is ready. */
  readonly isLeaving: boolean;
  /** It was lost with its node and came back with it. */
  readonly hasReturned: boolean;
  /** Where there may be one only, there is none beside it: it runs, or may run, somewhere. */
  readonly holdsItsPlace: boolean;
  /** It is such a one itself, whatever the app says by now. */
  readonly isExclusive: boolean;
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
    isLeaving: !isOnLostNode(pod) && isDisrupted(pod),
    hasReturned: hasReturned(pod),
    holdsItsPlace: holdsItsPlace(pod),
    isExclusive: isExclusive(pod),
    version: annotations[MARATHON_ANNOTATION.version] ?? "",
    configVersion: annotations[MARATHON_ANNOTATION.configVersion] ?? "",
    pod,
  };
}

function conditionOf(pod: Pod): InstanceCondition {
  if (isTerminal(pod)) return "Ended";
  if (isOnLostNode(pod)) return lostCondition(pod);
  if (pod.metadata.deletionTimestamp !== undefined) return "Killing";
  if (pod.status.phase === "Running") return "Running";
  if (pod.status.phase === "Unknown") return "Unreachable";
  return pod.spec.nodeName === undefined ? "Scheduled" : "Staging";
}

/** Marathon forgets at once what is killed while it is unreachable (KillServiceActor: forceExpunge). */
function lostCondition(pod: Pod): InstanceCondition {
  const { deletionTimestamp, annotations } = pod.metadata;
  if (deletionTimestamp !== undefined || annotations?.[MARATHON_ANNOTATION.expunged] !== undefined) return "Gone";
  return isDisrupted(pod) ? "UnreachableInactive" : "Unreachable";
}

/** Nobody can reach it, and it has been given up: it takes no place that another may not have. */
export function isGivenUp({ condition }: Pick<Instance, "condition">): boolean {
  return condition === "UnreachableInactive" || condition === "Gone";
}

/** Counts towards the instances that are wanted. */
export function isActive(instance: Pick<Instance, "condition" | "isLeaving">): boolean {
  const { condition, isLeaving } = instance;
  return condition !== "Ended" && condition !== "Killing" && !isLeaving && !isGivenUp(instance);
}

/** Known to clients: it has been given to a node, has not ended and is not forgotten. */
export function isTask({ condition }: Instance): boolean {
  return condition !== "Ended" && condition !== "Scheduled" && condition !== "Gone";
}
