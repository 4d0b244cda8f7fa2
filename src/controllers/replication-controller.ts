/** Keeps as many pods as a ReplicationController asks for. Kubernetes' rules: specs/kubernetes 12.3; pkg/controller/replicaset. */
import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../model/cluster-settings.ts";
import { holdsItsPlace, isActive } from "../model/disruption.ts";
import { matchesLabels } from "../model/label-selector.ts";
import { controllerOf, keyOf, ownedBy } from "../model/meta.ts";
import { namespaces } from "../model/namespace.ts";
import { initialPodStatus, withDefaultTolerations } from "../model/new-pod.ts";
import { isLive, isReady, type Pod, pods } from "../model/pod.ts";
import { type ReplicationController, replicationControllers } from "../model/replication-controller.ts";
import { isExclusive } from "../model/when-unreachable.ts";
import type { Random } from "../seams/random.ts";
import { deletePod } from "../store/delete-pod.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Reader, Tx } from "../store/transaction.ts";
import { type Controller, type Requeue, wakes } from "./controller.ts";
import { readySinceMs, scaleDownOrder } from "./scale-down-order.ts";

/** Pods made or deleted in one transaction; more follow in the next, so that one controller never holds up the others. */
const BURST = 500;

export const replicationController: Controller = {
  name: "replication-controller",
  wakers: [
    wakes(replicationControllers, (rc) => [keyOf(rc)]),
    wakes(pods, (pod, reader) => controllersOf(pod, reader)),
  ],
  reconcile(key, tx, { random }) {
    const rc = tx.get(replicationControllers, key);
    if (!rc) return undefined;
    const claimed = claimPods(tx, rc);
    const active = claimed.filter(isActive);
    const moves = rc.metadata.deletionTimestamp === undefined ? scale(tx, rc, claimed, active, random) : NO_MOVES;
    return finish(tx, rc, active, moves);
  },
};

interface Moves {
  readonly made: readonly Pod[];
  readonly deleted: ReadonlySet<string>;
  /** The burst was used up: go on at once. */
  readonly more: boolean;
}

const NO_MOVES: Moves = { made: [], deleted: new Set(), more: false };

/** The controller that owns the pod, or, for a pod that nobody owns, every one that would adopt it or that waits for its end. */
function controllersOf(pod: Pod, reader: Reader): readonly string[] {
  const { namespace } = pod.metadata;
  const owner = controllerOf(pod);
  if (owner?.kind === "ReplicationController") {
    const waiting = isExclusive(pod) ? matchingControllers(pod, reader) : [];
    return [`${namespace}/${owner.name}`, ...waiting];
  }
  if (owner) return [];
  return matchingControllers(pod, reader);
}

function matchingControllers({ metadata: { namespace, labels } }: Pod, reader: Reader): readonly string[] {
  return reader
    .list(replicationControllers, namespace)
    .filter((rc) => matchesLabels(rc.spec.selector, labels))
    .map(keyOf);
}

/** Its pods that still match, with matching orphans adopted and those that no longer match let go. */
function claimPods(tx: Tx, rc: ReplicationController): readonly Pod[] {
  const { uid, namespace = "", deletionTimestamp } = rc.metadata;
  const matches = (pod: Pod) => matchesLabels(rc.spec.selector, pod.metadata.labels);
  const kept: Pod[] = [];
  for (const pod of tx.by(pods, "owner", uid)) {
    if (controllerOf(pod)?.uid !== uid) continue;
    if (matches(pod)) kept.push(pod);
    else if (deletionTimestamp === undefined && mayRelease(pod)) release(tx, pod, uid);
  }
  if (deletionTimestamp !== undefined) return kept;
  for (const pod of tx.by(pods, "orphan", namespace)) {
    if (isLive(pod) && matches(pod)) kept.push(adopt(tx, pod, rc));
  }
  return kept;
}

/** An exclusive pod that was let go would run on beside its successor: it stays, and holds its place (exclusiveHolder). */
function mayRelease(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && !(isExclusive(pod) && holdsItsPlace(pod));
}

function adopt(tx: Tx, pod: Pod, rc: ReplicationController): Pod {
  const owners = (pod.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== rc.metadata.uid);
  return tx.update(pods, { ...pod, metadata: { ...pod.metadata, ownerReferences: [...owners, ownedBy(rc)] } });
}

function release(tx: Tx, pod: Pod, ownerUid: string): void {
  const { ownerReferences = [], ...metadata } = pod.metadata;
  const others = ownerReferences.filter(({ uid }) => uid !== ownerUid);
  tx.update(pods, {
    ...pod,
    metadata: { ...metadata, ...(others.length > 0 ? { ownerReferences: others } : {}) },
  });
}

function scale(
  tx: Tx,
  rc: ReplicationController,
  claimed: readonly Pod[],
  active: readonly Pod[],
  random: Random,
): Moves {
  const missing = rc.spec.replicas - takenPlaces(rc, claimed, active);
  if (missing > 0 && mayCreate(tx, rc)) {
    const holder = exclusiveHolder(tx, rc);
    if (holder) return waitFor(tx, rc, holder);
    const made = Array.from({ length: Math.min(missing, BURST) }, () => createPod(tx, rc, random));
    return { made, deleted: new Set(), more: missing > BURST };
  }
  const tooMany = active.length - rc.spec.replicas;
  if (tooMany <= 0) return NO_MOVES;
  const surplus = scaleDownOrder(active, tx.nowMs).slice(0, Math.min(tooMany, BURST));
  for (const pod of surplus) {
    deletePod(tx, pod);
    note(tx, rc, "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`);
  }
  return { made: [], deleted: new Set(surplus.map(({ metadata }) => metadata.uid)), more: tooMany > BURST };
}

/** Of an exclusive pod one that is being stopped is still there: the next is made when it is gone. */
function takenPlaces(rc: ReplicationController, claimed: readonly Pod[], active: readonly Pod[]): number {
  return isExclusive(rc.spec.template) ? claimed.filter(holdsItsPlace).length : active.length;
}

/**
 * An exclusive pod beside which no copy may start, whatever the template says by now: its own, one that no longer matches,
 * or one of a controller that is gone or going and had its name or its pods. Deleted and applied again, it is the same
 * thing to its user.
 */
function exclusiveHolder(tx: Tx, rc: ReplicationController): Pod | undefined {
  const { uid, name, namespace = "" } = rc.metadata;
  return tx.by(pods, "exclusive", namespace).find((pod) => {
    if (!holdsItsPlace(pod)) return false;
    const owner = controllerOf(pod);
    if (owner?.uid === uid) return true;
    const matches = matchesLabels(rc.spec.selector, pod.metadata.labels);
    if (owner?.kind !== "ReplicationController") return owner === undefined && matches;
    const { metadata } = tx.get(replicationControllers, `${namespace}/${owner.name}`) ?? {};
    const isThere = metadata?.uid === owner.uid && metadata.deletionTimestamp === undefined;
    return !isThere && (owner.name === name || matches);
  });
}

/** One that is on its way out goes by itself; for one of its own somebody has to decide. */
function waitFor(tx: Tx, rc: ReplicationController, pod: Pod): Moves {
  if (isActive(pod) && controllerOf(pod)?.uid === rc.metadata.uid) {
    const { name } = pod.metadata;
    note(tx, rc, "WaitingForExclusive", `No pod is made beside ${name}, which is exclusive: delete it first`);
  }
  return NO_MOVES;
}

/** Nothing new begins in a namespace that is going away. */
function mayCreate(tx: Tx, { metadata }: ReplicationController): boolean {
  return tx.get(namespaces, metadata.namespace ?? "")?.status.phase !== "Terminating";
}

/** Room in a DNS label for the dash and the five letters. */
const LONGEST_BASE = 57;

function createPod(tx: Tx, rc: ReplicationController, random: Random): Pod {
  const { template } = rc.spec;
  const { labels, annotations } = template.metadata ?? {};
  const { namespace = "", name: owner } = rc.metadata;
  const generateName = `${owner.slice(0, LONGEST_BASE)}-`;
  let name: string;
  do name = generateName + random.suffix(5);
  while (tx.get(pods, `${namespace}/${name}`));
  const settings = settingsInForce(tx.get(clusterSettings, CLUSTER_SETTINGS_NAME));
  const spec = settings.kubernetesDefaultTolerations ? withDefaultTolerations(template.spec) : template.spec;
  const pod = tx.create<Pod>(pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      generateName,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [ownedBy(rc)],
    },
    spec,
    status: initialPodStatus(spec),
  });
  note(tx, rc, "SuccessfulCreate", `Created pod: ${name}`);
  return pod;
}

function note(tx: Tx, rc: ReplicationController, reason: string, message: string): void {
  recordEvent(tx, rc, { type: "Normal", reason, message, component: "replication-controller" });
}

/** Writes the counts, and says when to look again: at once with more to do, or when the next pod becomes available. */
function finish(tx: Tx, rc: ReplicationController, active: readonly Pod[], moves: Moves): Requeue | undefined {
  const present = [...active.filter(({ metadata }) => !moves.deleted.has(metadata.uid)), ...moves.made];
  const { status, availableInMs } = countPods(rc, present, tx.nowMs);
  tx.update(replicationControllers, { ...rc, status });
  if (moves.more) return { afterMs: 0 };
  return availableInMs === undefined ? undefined : { afterMs: availableInMs };
}

interface Counted {
  readonly status: ReplicationController["status"];
  /** Until the next ready pod has been ready for long enough. */
  readonly availableInMs: number | undefined;
}

function countPods(rc: ReplicationController, present: readonly Pod[], nowMs: number): Counted {
  const labels = rc.spec.template.metadata?.labels ?? {};
  const minReadyMs = (rc.spec.minReadySeconds ?? 0) * 1000;
  const ready = present.filter(isReady);
  const waits = ready.map((pod) => (readySinceMs(pod) ?? nowMs) + minReadyMs - nowMs).filter((ms) => ms > 0);
  const { conditions } = rc.status;
  return {
    status: {
      replicas: present.length,
      fullyLabeledReplicas: present.filter(({ metadata }) => matchesLabels(labels, metadata.labels)).length,
      readyReplicas: ready.length,
      availableReplicas: minReadyMs === 0 ? ready.length : ready.length - waits.length,
      observedGeneration: rc.metadata.generation,
      ...(conditions === undefined ? {} : { conditions }),
    },
    availableInMs: minReadyMs === 0 || waits.length === 0 ? undefined : Math.min(...waits),
  };
}
