import { type Kind, keyOf, type StoredObject } from "../model/meta.ts";
import { type Namespace, namespaces } from "../model/namespace.ts";
import { nodes } from "../model/node.ts";
import { type Pod, pods } from "../model/pod.ts";
import { planPodDeletion } from "../model/pod-deletion.ts";
import { isExclusive } from "../model/when-unreachable.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { Tx } from "./transaction.ts";

/** What becomes of an object's dependents: deleted after it, deleted before it, or kept. Kubernetes' words. */
export type Propagation = "Background" | "Foreground" | "Orphan";

/** Held by an owner until its dependents are gone, or let go. The garbage collector takes them away. */
export const FOREGROUND_FINALIZER = "foregroundDeletion";
export const ORPHAN_FINALIZER = "orphan";

export interface DeletionOptions {
  /** Pods only. */
  readonly graceSeconds?: number;
  readonly propagation?: Propagation;
}

/**
 * Asks for an object's deletion. It goes at once unless something has to happen first: finalizers, a pod that an agent
 * may be running, a namespace with contents. Those are marked with `deletionTimestamp`. Gives what is left, if anything.
 */
export function deleteObject<T extends StoredObject>(
  tx: Tx,
  kind: Kind<T>,
  object: T,
  { graceSeconds, propagation = "Background" }: DeletionOptions = {},
): T | undefined {
  const held = withFinalizer(object, propagation);
  if (kind.name === namespaces.name)
    return tx.update(kind, terminating(held as unknown as Namespace, tx) as unknown as T);
  if (kind.name === pods.name) {
    return deletePodObject(tx, held as unknown as Pod, graceSeconds) as unknown as T | undefined;
  }
  if ((held.metadata.finalizers ?? []).length > 0) return tx.update(kind, marked(held, tx));
  tx.remove(kind, keyOf(object));
  return undefined;
}

/** Takes a finalizer away, and the object with it when that was the last thing to hold it. */
export function dropFinalizer<T extends StoredObject>(tx: Tx, kind: Kind<T>, object: T, finalizer: string): void {
  const { finalizers: before = [], ...metadata } = object.metadata;
  const finalizers = before.filter((name) => name !== finalizer);
  const after = { ...object, metadata: { ...metadata, ...(finalizers.length > 0 ? { finalizers } : {}) } };
  if (mayGo(tx, kind, after)) tx.remove(kind, keyOf(object));
  else tx.update(kind, after);
}

/** Deletion was asked for, and nothing is left to wait for. Namespaces go when their controller finds them empty. */
export function mayGo(tx: Tx, kind: Kind, object: StoredObject): boolean {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined || finalizers.length > 0 || kind.name === namespaces.name) return false;
  return kind.name !== pods.name || nobodyRuns(tx, object as Pod);
}

function deletePodObject(tx: Tx, pod: Pod, graceSeconds: number | undefined): Pod | undefined {
  const isHeld = (pod.metadata.finalizers ?? []).length > 0;
  if (nobodyRuns(tx, pod)) {
    if (isHeld) return tx.update(pods, marked(pod, tx));
    tx.remove(pods, keyOf(pod));
    return undefined;
  }
  const plan = planPodDeletion(pod, tx.nowMs, graceSeconds);
  return tx.update(pods, plan.kind === "mark" ? plan.pod : pod);
}

/** No agent can be running it: it is not bound, is over, or was bound to a node that is not (or no longer) in the cluster. */
function nobodyRuns(tx: Tx, pod: Pod): boolean {
  const { nodeName } = pod.spec;
  if (planPodDeletion(pod, tx.nowMs).kind === "remove" || !nodeName) return true;
  // Deleting a Node object stops nothing on that host: the node lifecycle forgets an exclusive pod when its agent has stopped it.
  return tx.get(nodes, nodeName) === undefined && !isExclusive(pod);
}

function marked<T extends StoredObject>(object: T, tx: Tx): T {
  if (object.metadata.deletionTimestamp !== undefined) return object;
  const metadata = { ...object.metadata, deletionTimestamp: rfc3339(tx.nowMs), deletionGracePeriodSeconds: 0 };
  return { ...object, metadata };
}

function terminating(namespace: Namespace, tx: Tx): Namespace {
  return { ...marked(namespace, tx), status: { ...namespace.status, phase: "Terminating" } };
}

function withFinalizer<T extends StoredObject>(object: T, propagation: Propagation): T {
  // Once deletion was asked for, nothing new may hold an object.
  if (propagation === "Background" || object.metadata.deletionTimestamp !== undefined) return object;
  const added = propagation === "Foreground" ? FOREGROUND_FINALIZER : ORPHAN_FINALIZER;
  const finalizers = [...(object.metadata.finalizers ?? []).filter((name) => name !== added), added];
  return { ...object, metadata: { ...object.metadata, finalizers } };
}
