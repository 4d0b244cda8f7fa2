/** What fleet reads out of the pods that stand for units. */
import { controllerOf } from "../../model/meta.ts";
import { isTerminal, type Pod, type UnitState } from "../../model/pod.ts";
import { ANNOTATION } from "../../model/well-known.ts";
import { FLEET_ANNOTATION, UNIT_CONTAINER } from "./translate.ts";

/** The unit that a pod stands for; undefined for pods of others. */
export function unitNameOf(pod: Pod): string | undefined {
  const owner = controllerOf(pod);
  return owner?.kind === "Unit" ? pod.metadata.annotations?.[ANNOTATION.workload] : undefined;
}

/** What the machine says of it; undefined as long as no machine has loaded it. */
export function unitStateOf(pod: Pod): UnitState | undefined {
  return pod.status.containerStatuses?.find(({ name }) => name === UNIT_CONTAINER)?.unit;
}

/** Whether the machine is asked to start it, not just to load it. */
export function isAskedToStart(pod: Pod): boolean {
  return pod.spec.containers[0]?.unit?.start !== false;
}

/** Nothing of it runs, and the machine has done what it does about that: a pod whose container has just ended may yet end too. */
export function isAtRest(pod: Pod): boolean {
  if (isTerminal(pod)) return true;
  const active = unitStateOf(pod)?.active ?? "inactive";
  const hasJustEnded = pod.status.containerStatuses?.[0]?.state.terminated !== undefined;
  return (active === "inactive" || active === "failed") && !hasJustEnded;
}

/** It was asked to stop (`stops` times by now) and has not come to rest since. */
export function isStopping(pod: Pod, stops: number): boolean {
  const annotations = pod.metadata.annotations ?? {};
  const hasNotHeard = annotations[FLEET_ANNOTATION.stops] !== String(stops);
  return !isAtRest(pod) && (hasNotHeard || annotations[FLEET_ANNOTATION.stopping] !== undefined);
}

/** Units that it keeps away from because they replace its own. */
export function replacersKeptFrom(pod: Pod): readonly string[] {
  return (pod.metadata.annotations?.[FLEET_ANNOTATION.replacedBy] ?? "").split(" ");
}
