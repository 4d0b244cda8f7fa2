/** Makes and keeps the pods that stand for units: one per unit, or one per suitable machine for a global one. */
import type { Controller } from "../../controllers/controller.ts";
import { wakes } from "../../controllers/controller.ts";
import { controllerOf, OWNER_INDEX } from "../../model/meta.ts";
import { type Node, nodes } from "../../model/node.ts";
import { isTerminal, type Pod, pods } from "../../model/pod.ts";
import { unitHash } from "../../model/unit/serialize-unit.ts";
import { isTemplate } from "../../model/unit/unit-name.ts";
import { ANNOTATION } from "../../model/well-known.ts";
import { deletePod } from "../../store/delete-pod.ts";
import { recordEvent } from "../../store/record-event.ts";
import { type Reader, sameJson, type Tx } from "../../store/transaction.ts";
import { FLEET_NAMESPACE, type Unit, units } from "./kinds.ts";
import { globMatches, readRequirements } from "./requirements.ts";
import { FLEET_ANNOTATION, type Placement, podName, suits, translateUnit } from "./translate.ts";

export const unitController: Controller = {
  name: "fleet-unit",
  wakers: [
    wakes(units, ({ metadata }) => [metadata.name]),
    wakes(pods, (pod, reader) => [...unitOf(pod), ...pushedAwayBy(pod, reader)]),
    wakes(nodes, (node, reader, { before }) =>
      sameJson(labelsOf(before), node.metadata.labels) ? [] : globalUnits(reader),
    ),
  ],
  reconcile(name, tx) {
    const unit = tx.get(units, name);
    // Without its unit a pod goes with the garbage collector.
    if (!unit) return undefined;
    const owned = tx.by(pods, OWNER_INDEX, unit.metadata.uid);
    const runs = unit.spec.desiredState !== "inactive" && !isTemplate(name);
    const wanted = runs ? placementsOf(unit, tx) : [];
    const kept = new Set<string>();
    for (const placement of wanted) {
      const podKey = `${FLEET_NAMESPACE}/${podName(name, placement.node?.metadata.name)}`;
      kept.add(podKey);
      keepPod(tx, unit, placement, tx.get(pods, podKey));
    }
    for (const pod of owned) if (!kept.has(`${FLEET_NAMESPACE}/${pod.metadata.name}`)) deletePod(tx, pod);
    return undefined;
  },
};

function unitOf(pod: Pod): readonly string[] {
  const owner = controllerOf(pod);
  return owner?.kind === "Unit" ? [owner.name] : [];
}

function labelsOf(node: unknown): unknown {
  return (node as Node | undefined)?.metadata.labels;
}

function globalUnits(reader: Reader): readonly string[] {
  return reader.by(units, "trait", "global").map(({ metadata }) => metadata.name);
}

/** Units on the machine of `pod` that its own unit replaces. */
function pushedAwayBy(pod: Pod, reader: Reader): readonly string[] {
  const [name] = unitOf(pod);
  const unit = name === undefined ? undefined : reader.get(units, name);
  if (!unit || pod.spec.nodeName === undefined) return [];
  const { replaces } = readRequirements(unit.spec.options, unit.metadata.name);
  if (replaces.length === 0) return [];
  const names = reader.by(pods, "node", pod.spec.nodeName).flatMap(unitOf);
  return names.filter((other) => other !== name && replaces.some((glob) => globMatches(glob, other)));
}

function placementsOf(unit: Unit, tx: Tx): readonly Placement[] {
  const requirements = readRequirements(unit.spec.options, unit.metadata.name);
  if (!requirements.isGlobal) return [{ replacedBy: replacersOf(unit, tx) }];
  return tx
    .list(nodes)
    .filter((node) => suits(requirements, node))
    .map((node) => ({ node }));
}

/** Launched units that say they replace this one. Two that replace each other both stay (fleet's circular guard). */
function replacersOf(unit: Unit, tx: Tx): readonly string[] {
  const { name } = unit.metadata;
  const mine = readRequirements(unit.spec.options, name).replaces;
  return tx
    .by(units, "trait", "replaces")
    .filter(({ metadata, spec }) => metadata.name !== name && spec.desiredState === "launched")
    .filter(({ metadata, spec }) => {
      const theirs = readRequirements(spec.options, metadata.name).replaces;
      const matches = (globs: readonly string[], text: string) => globs.some((glob) => globMatches(glob, text));
      return matches(theirs, name) && !matches(mine, metadata.name);
    })
    .map(({ metadata }) => metadata.name);
}

/** One step towards the pod that is wanted. A pod that has to go is waited for, so that no unit runs twice. */
function keepPod(tx: Tx, unit: Unit, placement: Placement, pod: Pod | undefined): void {
  if (!pod) {
    tx.create(pods, translateUnit(unit, placement));
    return;
  }
  if (pod.metadata.deletionTimestamp !== undefined) return;
  const reason = whyReplace(tx, unit, placement, pod);
  if (reason !== undefined) {
    recordEvent(tx, unit, { type: "Normal", reason: "Replacing", message: reason, component: "fleet" });
    deletePod(tx, pod);
    return;
  }
  setStart(tx, unit, pod);
}

/** Why this pod cannot become the wanted one by a change of its start mark. */
function whyReplace(tx: Tx, unit: Unit, { replacedBy = [] }: Placement, pod: Pod): string | undefined {
  const annotations = pod.metadata.annotations ?? {};
  const wantsStart = unit.spec.desiredState === "launched";
  if (controllerOf(pod)?.uid !== unit.metadata.uid) return "a pod of an earlier unit of this name is in its place";
  if (annotations[FLEET_ANNOTATION.hash] !== unitHash(unit.spec.options)) return "the unit's options have changed";
  const wasStopped = annotations[FLEET_ANNOTATION.stops] !== String(unit.spec.stops);
  if (wasStopped && wantsStart) return "the unit was asked to stop and to start again";
  if (isTerminal(pod) && (wasStopped || startOf(pod) !== wantsStart)) return "the unit has ended and is asked for anew";
  return displacedBy(tx, pod, replacedBy);
}

/** Moves once per unit that replaces it: the new pod keeps away by a constraint of its own. */
function displacedBy(tx: Tx, pod: Pod, replacedBy: readonly string[]): string | undefined {
  const { nodeName } = pod.spec;
  if (nodeName === undefined) return undefined;
  const avoided = (pod.metadata.annotations?.[FLEET_ANNOTATION.replacedBy] ?? "").split(" ");
  const here = tx.by(pods, "node", nodeName).map(({ metadata }) => metadata.annotations?.[ANNOTATION.workload]);
  const replacer = replacedBy.find((name) => !avoided.includes(name) && here.includes(name));
  return replacer === undefined ? undefined : `${replacer} replaces it on ${nodeName}`;
}

function startOf(pod: Pod): boolean {
  return pod.spec.containers[0]?.unit?.start !== false;
}

function setStart(tx: Tx, unit: Unit, pod: Pod): void {
  const start = unit.spec.desiredState === "launched";
  const annotations = { ...pod.metadata.annotations, [FLEET_ANNOTATION.stops]: String(unit.spec.stops) };
  const containers = pod.spec.containers.map((container) =>
    container.unit ? { ...container, unit: { ...container.unit, start } } : container,
  );
  tx.update(pods, { ...pod, metadata: { ...pod.metadata, annotations }, spec: { ...pod.spec, containers } });
}
