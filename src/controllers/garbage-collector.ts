/**
 * Takes away what belongs to owners that are gone, and does what deletion "in the foreground" and "orphan" promise.
 * Reads what is, so it does not matter whether it saw the owner go.
 */
import { type Kind, keyOf, OWNER_INDEX, type OwnerReference, type StoredObject } from "../model/meta.ts";
import { deleteObject, dropFinalizer, FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from "../store/delete-object.ts";
import { type Change, type Reader, sameJson, type Tx } from "../store/transaction.ts";
import { type Controller, type Requeue, wakes } from "./controller.ts";

/** Dependents handled in one transaction. */
const BATCH = 500;

/** `kinds`: every kind that may own or be owned. */
export function garbageCollector(kinds: readonly Kind[]): Controller {
  const byName = new Map(kinds.map((kind) => [kind.name, kind]));
  return {
    name: "garbage-collector",
    wakers: kinds.map((kind) =>
      wakes(kind, (object, reader, change) => [
        ...(concernsChanged(change) ? ownConcerns(kind, object) : []),
        ...(change.type === "removed" || isGoing(object) ? dependentKeys(kinds, reader, object) : []),
        // An owner that waits for its dependents looks again when one of them changes or goes.
        ...waitingOwners(byName, reader, object),
      ]),
    ),
    reconcile(key, tx) {
      const { kind, object } = find(byName, tx, key);
      if (!kind || !object) return undefined;
      return collect({ tx, kinds, byName }, kind, object);
    },
  };
}

interface Collection {
  readonly tx: Tx;
  readonly kinds: readonly Kind[];
  readonly byName: ReadonlyMap<string, Kind>;
}

/** `Pod default/web-x2x4l`. */
function idOf(kind: Kind, object: StoredObject): string {
  return `${kind.name} ${keyOf(object)}`;
}

function find(byName: ReadonlyMap<string, Kind>, reader: Reader, id: string) {
  const space = id.indexOf(" ");
  const kind = byName.get(id.slice(0, space));
  return { kind, object: kind && reader.get(kind, id.slice(space + 1)) };
}

function isGoing({ metadata }: StoredObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Most changes of a pod are of its status: nothing to collect. */
function concernsChanged({ type, object, before }: Change): boolean {
  if (type !== "modified" || !before) return type !== "removed";
  const concerns = ({ metadata: { ownerReferences, finalizers, deletionTimestamp } }: StoredObject) => ({
    ownerReferences,
    finalizers,
    deletionTimestamp,
  });
  return !sameJson(concerns(object), concerns(before));
}

function ownConcerns(kind: Kind, object: StoredObject): readonly string[] {
  const { ownerReferences = [], finalizers = [] } = object.metadata;
  return ownerReferences.length > 0 || finalizers.length > 0 ? [idOf(kind, object)] : [];
}

function dependentKeys(kinds: readonly Kind[], reader: Reader, owner: StoredObject): readonly string[] {
  return kinds.flatMap((kind) =>
    reader.by(kind, OWNER_INDEX, owner.metadata.uid).map((dependent) => idOf(kind, dependent)),
  );
}

function waitingOwners(byName: ReadonlyMap<string, Kind>, reader: Reader, object: StoredObject): readonly string[] {
  return (object.metadata.ownerReferences ?? []).flatMap((reference) => {
    const found = ownerOf(byName, reader, object, reference);
    return found?.owner && isGoing(found.owner) ? [idOf(found.kind, found.owner)] : [];
  });
}

/** The owner that a reference means; undefined when its kind is not ours to judge. */
function ownerOf(
  byName: ReadonlyMap<string, Kind>,
  reader: Reader,
  dependent: StoredObject,
  { kind: name, name: ownerName, uid }: OwnerReference,
): { readonly kind: Kind; readonly owner: StoredObject | undefined } | undefined {
  const kind = byName.get(name);
  if (!kind) return undefined;
  const { namespace } = dependent.metadata;
  const found = reader.get(kind, kind.namespaced ? `${namespace}/${ownerName}` : ownerName);
  // The same name made again is another object.
  return { kind, owner: found?.metadata.uid === uid ? found : undefined };
}

function collect(collection: Collection, kind: Kind, object: StoredObject): Requeue | undefined {
  const { finalizers = [] } = object.metadata;
  if (isGoing(object) && finalizers.includes(ORPHAN_FINALIZER)) return orphanDependents(collection, kind, object);
  if (isGoing(object) && finalizers.includes(FOREGROUND_FINALIZER)) return deleteDependents(collection, kind, object);
  if (!isGoing(object)) judge(collection, kind, object);
  return undefined;
}

/** An object stays while one of its owners is there. References to owners that are gone are taken out. */
function judge({ tx, byName, kinds }: Collection, kind: Kind, object: StoredObject): void {
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0) return;
  const judged = references.map((reference) => ({ reference, found: ownerOf(byName, tx, object, reference) }));
  const isThere = ({ found }: (typeof judged)[number]) => found === undefined || found.owner !== undefined;
  const isLeaving = ({ found }: (typeof judged)[number]) =>
    found?.owner !== undefined && waitsForDependents(found.owner);
  const present = judged.filter(isThere);
  if (present.some((entry) => !isLeaving(entry))) {
    if (present.length < judged.length)
      keepOwners(
        tx,
        kind,
        object,
        present.map(({ reference }) => reference),
      );
    return;
  }
  const dependents = kinds.flatMap((each) => tx.by(each, OWNER_INDEX, object.metadata.uid));
  // An owner in the foreground waits for all below it, so those below wait in turn; unless that closes a circle.
  const waitsInTurn = present.length > 0 && dependents.length > 0 && !dependents.some(waitsForDependents);
  deleteObject(tx, kind, object, { propagation: waitsInTurn ? "Foreground" : "Background" });
}

function waitsForDependents(owner: StoredObject): boolean {
  return isGoing(owner) && (owner.metadata.finalizers?.includes(FOREGROUND_FINALIZER) ?? false);
}

function keepOwners(tx: Tx, kind: Kind, object: StoredObject, owners: readonly OwnerReference[]): void {
  const { ownerReferences: _gone, ...metadata } = object.metadata;
  tx.update(kind, { ...object, metadata: { ...metadata, ...(owners.length > 0 ? { ownerReferences: owners } : {}) } });
}

function orphanDependents({ tx, kinds }: Collection, kind: Kind, owner: StoredObject): Requeue | undefined {
  let done = 0;
  for (const each of kinds) {
    for (const dependent of tx.by(each, OWNER_INDEX, owner.metadata.uid)) {
      if (done++ >= BATCH) return { afterMs: 0 };
      const others = (dependent.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
      keepOwners(tx, each, dependent, others);
    }
  }
  dropFinalizer(tx, kind, owner, ORPHAN_FINALIZER);
  return undefined;
}

/** Asks the dependents to go; the owner follows when none is left that blocks it. */
function deleteDependents(collection: Collection, kind: Kind, owner: StoredObject): Requeue | undefined {
  const { tx, kinds } = collection;
  let asked = 0;
  for (const each of kinds) {
    for (const dependent of tx.by(each, OWNER_INDEX, owner.metadata.uid)) {
      if (isGoing(dependent)) continue;
      if (asked++ >= BATCH) return { afterMs: 0 };
      judge(collection, each, dependent);
    }
  }
  const blocks = (dependent: StoredObject) =>
    (dependent.metadata.ownerReferences ?? []).some(
      ({ uid, blockOwnerDeletion }) => uid === owner.metadata.uid && blockOwnerDeletion === true,
    );
  const waits = kinds.some((each) => tx.by(each, OWNER_INDEX, owner.metadata.uid).some(blocks));
  if (!waits) dropFinalizer(tx, kind, owner, FOREGROUND_FINALIZER);
  return undefined;
}
