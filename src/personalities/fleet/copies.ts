/** The copies of a unit that runs once: which of them counts, which are too many, and whether another may be made. Pure but for what it reads. */
import { hasReturned, holdsItsPlace, isDisrupted } from "../../model/disruption.ts";
import { controllerOf, keyOf, OWNER_INDEX } from "../../model/meta.ts";
import { isOnLostNode } from "../../model/node-state.ts";
import { isReady, isTerminal, type Pod, pods } from "../../model/pod.ts";
import { isExclusive } from "../../model/when-unreachable.ts";
import type { Reader } from "../../store/transaction.ts";
import { readCare } from "./care.ts";
import { FLEET_NAMESPACE, type Unit, units } from "./kinds.ts";
import { podName } from "./translate.ts";

export interface Copies {
  /** The one that stands for the unit. */
  readonly current: Pod | undefined;
  /** More of the same, as one came back with its machine. */
  readonly surplus: readonly Pod[];
  /** Lost with their machines, or to be moved: each may count again. */
  readonly disrupted: readonly Pod[];
  /** Of an earlier unit of the same name. */
  readonly leftovers: readonly Pod[];
  /** What has to have stopped before another copy may start: no unit runs twice, as far as anybody can know. */
  readonly inTheWay: readonly Pod[];
}

/** Pods of an earlier unit of the name are looked for under so many names. */
const LOOKED_AT = 4;

export function copiesOf(reader: Reader, unitName: string): Copies {
  const unit = reader.get(units, unitName);
  const own = unit ? reader.by(pods, OWNER_INDEX, unit.metadata.uid) : [];
  const named = namedAfter(reader, unitName);
  return sortCopies([...own, ...named.filter((pod) => controllerOf(pod)?.uid !== unit?.metadata.uid)], unit);
}

/** An earlier unit of the name ran once only, and may run yet: nothing of the name starts beside it. */
export function isHeldAlone(reader: Reader, unitName: string): boolean {
  return namedAfter(reader, unitName).some((pod) => isExclusive(pod) && holdsItsPlace(pod));
}

function namedAfter(reader: Reader, unitName: string): readonly Pod[] {
  const slots = Array.from({ length: LOOKED_AT }, (_, slot) => podName(unitName, { slot }));
  return slots.flatMap((name) => reader.get(pods, `${FLEET_NAMESPACE}/${name}`) ?? []);
}

function sortCopies(all: readonly Pod[], unit: Unit | undefined): Copies {
  const staying = all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const isOwn = (pod: Pod) => controllerOf(pod)?.uid === unit?.metadata.uid;
  const own = staying.filter(isOwn);
  const [current, ...surplus] = inOrderOfWorth(own.filter((pod) => !isDisrupted(pod)));
  const leftovers = staying.filter((pod) => !isOwn(pod));
  const isGoing = (pod: Pod) => !own.includes(pod) || surplus.includes(pod);
  const { exclusive = false } = unit ? readCare(unit.spec.options) : {};
  const inTheWay = all.filter((pod) => pod !== current && mayRun(pod, exclusive, isGoing(pod)));
  return { current, surplus, disrupted: own.filter(isDisrupted), leftovers, inTheWay };
}

/** Lost is not stopped: of what may run once only, its agent or its node's return has the last word. */
function mayRun(pod: Pod, unitIsExclusive: boolean, isGoing: boolean): boolean {
  if (unitIsExclusive || isExclusive(pod)) return holdsItsPlace(pod);
  return isGoing && !isTerminal(pod) && !isOnLostNode(pod);
}

/** The one to keep first: what is ready, what has a machine, what has taken another's place, the newest. */
export function inOrderOfWorth(copies: readonly Pod[]): readonly Pod[] {
  const claims: readonly ((pod: Pod) => boolean)[] = [
    (pod) => pod.metadata.deletionTimestamp === undefined && !isDisrupted(pod),
    (pod) => !isTerminal(pod),
    isReady,
    ({ spec }) => spec.nodeName !== undefined,
    (pod) => !hasReturned(pod),
  ];
  return copies.toSorted((a, b) => {
    for (const claim of claims) if (claim(a) !== claim(b)) return claim(a) ? -1 : 1;
    const [older, newer] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
    return older === newer ? (keyOf(a) < keyOf(b) ? -1 : 1) : older < newer ? 1 : -1;
  });
}

/** The first name that no pod has. */
export function freeSlot(reader: Reader, unitName: string): number {
  let slot = 0;
  while (reader.get(pods, `${FLEET_NAMESPACE}/${podName(unitName, { slot })}`)) slot++;
  return slot;
}
