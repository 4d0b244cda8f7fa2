import { type Event, events } from "../../model/event.ts";
import { OWNER_INDEX } from "../../model/meta.ts";
import { type Node, nodes } from "../../model/node.ts";
import { type Pod, pods } from "../../model/pod.ts";
import type { Store } from "../../store/store.ts";
import { type Change, sameJson } from "../../store/transaction.ts";
import { type Checker, SimFailure, type World } from "../contract.ts";
import { runsForGood } from "./runs-for-good.ts";

const FOR_MS = 60_000;

/** Programs that end again and again go on doing so, and what is said of them and of their owners changes with them. */
export class Quiet implements Checker {
  readonly rule = "quiet";
  readonly words = "Once all is as it is wanted a second pass writes nothing: the store stands still for a minute.";
  judgements = 0;
  #heard: Change[] | undefined;

  committed(changes: readonly Change[]): void {
    this.#heard?.push(...changes);
  }

  async settled(world: World): Promise<void> {
    this.judgements++;
    this.#heard = [];
    await world.run(FOR_MS);
    const { store } = world.server;
    const unrest = store ? this.#heard.filter((change) => !isExpected(change, store)) : this.#heard;
    this.#heard = undefined;
    if (unrest.length === 0) return;
    const shown = unrest
      .slice(0, 5)
      .map(({ type, kind, key, revision }) => `${type} ${kind.name} ${key} (${revision})`);
    throw new SimFailure(this.rule, `${unrest.length} changes in a minute of rest: ${shown.join(", ")}`);
  }
}

function isExpected({ kind, object, type, before }: Change, store: Store): boolean {
  if (kind.name === pods.name) {
    const pod = object as Pod;
    // What others that come and go leave of a node is part of the reason why a pod waits.
    if (pod.spec.nodeName === undefined && store.list(pods).some((one) => !runsForGood(one))) return true;
    return !runsForGood(pod) || isCheckedAgain(pod, before as Pod);
  }
  if (kind.name === nodes.name) return before !== undefined && flaps(before as Node) && !flaps(object as Node);
  if (kind.name === events.name) return type === "removed" || isAboutRestless(object as Event, store);
  // An owner's status.
  return isRestlessOwner(object.metadata.uid, store) || FOLLOWERS.includes(kind.name);
}

/** A deployment waits for restless pods, and who is ready of them is told. */
const FOLLOWERS: readonly string[] = ["AppDeployment", "Endpoints", "EndpointSlice"];

/** A node that was lost again and again is trusted once it has stayed for five minutes, whatever else rests. */
function flaps({ status }: Node): boolean {
  return status.conditions.some(
    ({ type, status, reason }) => type === "Healthy" && status === "False" && reason === "Flapping",
  );
}

function isAboutRestless({ involvedObject: { uid, kind, namespace, name }, reason }: Event, store: Store): boolean {
  if (kind === nodes.name && reason === "Healthy") return true;
  if (kind !== pods.name) return isRestlessOwner(uid, store);
  const pod = store.get(pods, `${namespace}/${name}`);
  return pod === undefined || pod.metadata.uid !== uid || !runsForGood(pod);
}

function isRestlessOwner(uid: string, store: Store): boolean {
  return store.by(pods, OWNER_INDEX, uid).some((pod) => !runsForGood(pod));
}

/** Marathon shows when a check last succeeded; it is written down once a minute. */
function isCheckedAgain(now: Pod, before: Pod | undefined): boolean {
  const plain = ({ metadata, spec, status }: Pod) => ({
    ...{ labels: metadata.labels, annotations: metadata.annotations, gone: metadata.deletionTimestamp, spec },
    status: {
      ...status,
      containerStatuses: status.containerStatuses?.map(({ healthResults, ...rest }) => ({
        ...rest,
        health: healthResults?.map(({ alive }) => alive),
      })),
    },
  });
  return before !== undefined && sameJson(plain(now), plain(before));
}
