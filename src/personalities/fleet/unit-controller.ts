/** Makes and keeps the pods that stand for units: one per unit, or one per suitable machine for a global one. */
import { type Controller, wakes } from "../../controllers/controller.ts";
import { isDisrupted } from "../../model/disruption.ts";
import { OWNER_INDEX } from "../../model/meta.ts";
import { type Node, nodes } from "../../model/node.ts";
import { isOnLostNode } from "../../model/node-state.ts";
import { isTerminal, type Pod, pods } from "../../model/pod.ts";
import { unitHash } from "../../model/unit/serialize-unit.ts";
import { isTemplate } from "../../model/unit/unit-name.ts";
import { deletePod } from "../../store/delete-pod.ts";
import { type Change, type Reader, sameJson } from "../../store/transaction.ts";
import { globMatches } from "./glob.ts";
import { keepCopies, keepPod } from "./keep-pod.ts";
import { FLEET_NAMESPACE, type Unit, units } from "./kinds.ts";
import { placementsOf } from "./placements.ts";
import { readRequirements } from "./requirements.ts";
import { podName } from "./translate.ts";
import { isAtRest, replacersKeptFrom, unitNameOf } from "./unit-pods.ts";

export const unitController: Controller = {
  name: "fleet-unit",
  wakers: [
    wakes(units, (unit, reader) => [unit.metadata.name, ...heldOffBy(unit, reader)]),
    wakes(pods, (pod, reader, change) => (isWorthALook(change) ? concernedBy(pod, reader) : [])),
    wakes(nodes, (node, reader, change) => (isKnownOtherwise(node, change) ? unitsOfNode(node, reader) : [])),
  ],
  reconcile(name, tx) {
    const unit = tx.get(units, name);
    // Without its unit a pod goes with the garbage collector.
    if (!unit) return undefined;
    const runs = unit.spec.desiredState !== "inactive" && !isTemplate(name);
    const kept = new Set<string>();
    const hash = unitHash(unit.spec.options);
    for (const placement of runs ? placementsOf(unit, tx) : []) {
      if (!placement.node) {
        for (const podKey of keepCopies(tx, unit, hash, placement)) kept.add(podKey);
        continue;
      }
      const podKey = `${FLEET_NAMESPACE}/${podName(name, { node: placement.node.metadata.name })}`;
      kept.add(podKey);
      keepPod(tx, unit, hash, placement, tx.get(pods, podKey));
    }
    for (const pod of tx.by(pods, OWNER_INDEX, unit.metadata.uid))
      if (!kept.has(`${FLEET_NAMESPACE}/${pod.metadata.name}`)) deletePod(tx, pod);
    return undefined;
  },
};

const CLAIMS: readonly ((pod: Pod) => boolean)[] = [isTerminal, isAtRest, isDisrupted, isOnLostNode];

/** Most changes of a pod are of its status, and of that only the end and the rest of its unit and the loss of its machine matter here. */
function isWorthALook({ type, object, before }: Change): boolean {
  if (type !== "modified" || !before) return true;
  const [now, earlier] = [object as Pod, before as Pod];
  if (CLAIMS.some((claim) => claim(now) !== claim(earlier))) return true;
  const concerns = ({ metadata: { annotations, ownerReferences, deletionTimestamp } }: Pod) => ({
    annotations,
    ownerReferences,
    deletionTimestamp,
  });
  return !sameJson(now.spec, earlier.spec) || !sameJson(concerns(now), concerns(earlier));
}

/** Its own unit, units that have to be where it is, and units that it takes the place of. */
function concernedBy(pod: Pod, reader: Reader): readonly string[] {
  const name = unitNameOf(pod);
  if (name === undefined) return [];
  const followers = reader.by(units, "trait", `beside ${name}`).map(({ metadata }) => metadata.name);
  const unit = reader.get(units, name);
  const replaces = unit ? readRequirements(unit.spec.options, name).replaces : [];
  if (replaces.length === 0 || pod.spec.nodeName === undefined) return [name, ...followers];
  const neighbours = reader.by(pods, "node", pod.spec.nodeName).flatMap((other) => unitNameOf(other) ?? []);
  return [name, ...followers, ...neighbours.filter((other) => replaces.some((glob) => globMatches(glob, other)))];
}

/** Units that wait for a machine without this one: they may have any once it goes. */
function heldOffBy({ metadata: { name }, spec }: Unit, reader: Reader): readonly string[] {
  if (readRequirements(spec.options, name).replaces.length === 0) return [];
  const waiting = reader.by(pods, "node", "").filter(({ metadata }) => metadata.namespace === FLEET_NAMESPACE);
  const held = waiting.filter((pod) => replacersKeptFrom(pod).includes(name));
  return held.flatMap((pod) => unitNameOf(pod) ?? []);
}

function isKnownOtherwise(node: Node, { type, before }: Change): boolean {
  return type !== "modified" || !sameJson((before as Node | undefined)?.metadata.labels, node.metadata.labels);
}

function unitsOfNode({ metadata: { name } }: Node, reader: Reader): readonly string[] {
  const placed = reader.by(pods, "node", name).flatMap((pod) => unitNameOf(pod) ?? []);
  return [...reader.by(units, "trait", "global").map(({ metadata }) => metadata.name), ...placed];
}
