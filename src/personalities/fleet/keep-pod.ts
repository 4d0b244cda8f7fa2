/** One step of a unit's pod towards what is wanted. */
import { controllerOf, keyOf, OWNER_INDEX } from "../../model/meta.ts";
import { isTerminal, type Pod, pods } from "../../model/pod.ts";
import { deletePod } from "../../store/delete-pod.ts";
import { recordEvent } from "../../store/record-event.ts";
import type { Tx } from "../../store/transaction.ts";
import { copiesOf, freeSlot, isHeldAlone } from "./copies.ts";
import type { Unit } from "./kinds.ts";
import { whyLeave } from "./placements.ts";
import { FLEET_ANNOTATION, type Placement, translateUnit, WHERE_IT_WAS } from "./translate.ts";
import { isAskedToStart, isStopping } from "./unit-pods.ts";

/** Keeps the pod of a global unit on one machine. A pod that has to go is waited for. `hash`: of the unit's options. */
export function keepPod(tx: Tx, unit: Unit, hash: string, placement: Placement, pod: Pod | undefined): void {
  if (!pod) {
    if (!isHeldAlone(tx, unit.metadata.name)) tx.create(pods, translateUnit(unit, placement));
  } else if (pod.metadata.deletionTimestamp === undefined) keep(tx, unit, hash, placement, pod, true);
}

/** Keeps one copy of a unit, beside those that are lost with their machines; gives the keys of all that are to stay. */
export function keepCopies(tx: Tx, unit: Unit, hash: string, placement: Placement): readonly string[] {
  const { name } = unit.metadata;
  const found = copiesOf(tx, name);
  for (const pod of found.leftovers) replace(tx, unit, pod, EARLIER);
  for (const pod of found.surplus) replace(tx, unit, pod, "its machine is back, and another copy has taken its place");
  const isChanged = found.leftovers.length + found.surplus.length > 0;
  const { current, disrupted, inTheWay } = isChanged ? copiesOf(tx, name) : found;
  for (const pod of disrupted) adjust(tx, unit, placement, pod);
  const isFree = inTheWay.length === 0;
  if (current) keep(tx, unit, hash, placement, current, isFree);
  else if (isFree) tx.create(pods, translateUnit(unit, { ...placement, slot: freeSlot(tx, name) }));
  return tx.by(pods, OWNER_INDEX, unit.metadata.uid).map(keyOf);
}

/** `isFree`: nothing else has to stop before the next may start. */
function keep(tx: Tx, unit: Unit, hash: string, placement: Placement, pod: Pod, isFree: boolean): void {
  const anew = whyAnew(unit, hash, pod);
  const reason = anew ?? whyLeave(tx, unit, pod, placement);
  if (reason === undefined) {
    adjust(tx, unit, placement, pod);
    return;
  }
  replace(tx, unit, pod, reason);
  if (!isFree || tx.get(pods, keyOf(pod))) return;
  const wasAt = isTerminal(pod) && anew === ENDED ? { wasAt: pod.spec.nodeName } : {};
  const slot = placement.node ? 0 : freeSlot(tx, unit.metadata.name);
  tx.create(pods, translateUnit(unit, { ...placement, ...wasAt, slot }));
}

function replace(tx: Tx, unit: Unit, pod: Pod, reason: string): void {
  recordEvent(tx, unit, { type: "Normal", reason: "Replacing", message: reason, component: "fleet" });
  deletePod(tx, pod);
}

const EARLIER = "a pod of an earlier unit of this name is in its place";
const ENDED = "the unit has ended and is asked for anew";

/** Why the pod cannot become the wanted one by a change. */
function whyAnew(unit: Unit, hash: string, pod: Pod): string | undefined {
  const annotations = pod.metadata.annotations ?? {};
  if (controllerOf(pod)?.uid !== unit.metadata.uid) return EARLIER;
  if (annotations[FLEET_ANNOTATION.hash] !== hash) return "the unit's options have changed";
  const wasStopped = annotations[FLEET_ANNOTATION.stops] !== String(unit.spec.stops);
  const wantsStart = unit.spec.desiredState === "launched";
  return isTerminal(pod) && (wasStopped || isAskedToStart(pod) !== wantsStart) ? ENDED : undefined;
}

/**
 * Sets whether the machine is to start it. A stop that was asked for is waited for, whatever is asked next: otherwise a
 * restart that comes fast enough would not stop anything.
 */
function adjust(tx: Tx, unit: Unit, placement: Placement, pod: Pod): void {
  const stopping = isStopping(pod, unit.spec.stops);
  const start = !stopping && unit.spec.desiredState === "launched";
  const { [FLEET_ANNOTATION.stopping]: _before, ...annotations } = pod.metadata.annotations ?? {};
  const marks = {
    ...annotations,
    [FLEET_ANNOTATION.stops]: String(unit.spec.stops),
    ...(stopping ? { [FLEET_ANNOTATION.stopping]: "true" } : {}),
  };
  const containers = pod.spec.containers.map((container) =>
    container.unit ? { ...container, unit: { ...container.unit, start } } : container,
  );
  const changed = { ...pod, metadata: { ...pod.metadata, annotations: marks }, spec: { ...pod.spec, containers } };
  tx.update(pods, pod.spec.nodeName === undefined ? withPresentRules(changed, unit, placement) : changed);
}

/** Rules that come from other units may change for as long as it has no machine. */
function withPresentRules(pod: Pod, unit: Unit, placement: Placement): Pod {
  const { metadata, spec } = translateUnit(unit, placement);
  const { [FLEET_ANNOTATION.replacedBy]: _before, ...annotations } = pod.metadata.annotations ?? {};
  const wish = pod.spec.constraints?.filter(({ from }) => from === WHERE_IT_WAS) ?? [];
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations: { ...annotations, ...metadata.annotations } },
    spec: { ...pod.spec, constraints: [...(spec.constraints ?? []), ...wish] },
  };
}
