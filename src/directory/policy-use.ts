import type { LabelSelector } from "../model/constraint.ts";
import { type Labels, matchesSelector } from "../model/label-selector.ts";
import { keyOf } from "../model/meta.ts";
import { isTerminal, type Pod, pods } from "../model/pod.ts";
import type { Reader } from "../store/transaction.ts";

/** Pods of one namespace with the same labels: a policy selects all of them or none. */
interface Alike {
  readonly labels: Labels;
  readonly keys: Set<string>;
}

interface Selecting {
  readonly selector: LabelSelector;
  /** Of how many kinds the pods are that it selects. */
  kinds: number;
}

interface Room {
  readonly policies: Map<string, Selecting>;
  /** By their labels as text. */
  readonly alike: Map<string, Alike>;
  /** Pod → its labels as text. */
  readonly labelsOf: Map<string, string>;
}

/** Which policies select some pod at all, wherever it is and as soon as it is made. Nobody asks who the peers of the others are. */
export class PolicyUse {
  /** Of namespaces that have policies. */
  readonly #rooms = new Map<string, Room>();
  #turned = new Set<string>();

  isUsed(policy: string): boolean {
    return (this.#rooms.get(namespaceOf(policy))?.policies.get(policy)?.kinds ?? 0) > 0;
  }

  /** Policies that have come to select some pod since this was asked last, or do so no longer. */
  turned(): ReadonlySet<string> {
    const turned = this.#turned;
    this.#turned = new Set();
    return turned;
  }

  /** `selector`: of a policy that is gone, undefined. */
  hearPolicy(policy: string, selector: LabelSelector | undefined, reader: Reader): void {
    const namespace = namespaceOf(policy);
    const room = this.#rooms.get(namespace) ?? (selector && this.#open(namespace, reader));
    if (room === undefined) return;
    const was = this.isUsed(policy);
    if (selector) {
      const kinds = [...room.alike.values()].filter(({ labels }) => matchesSelector(selector, labels)).length;
      room.policies.set(policy, { selector, kinds });
    } else room.policies.delete(policy);
    if (this.isUsed(policy) !== was) this.#turned.add(policy);
    if (room.policies.size === 0) this.#rooms.delete(namespace);
  }

  hearPod(key: string, pod: Pod | undefined): void {
    const room = this.#rooms.get(namespaceOf(key));
    if (room) this.#place(room, key, pod);
  }

  #open(namespace: string, reader: Reader): Room {
    const room: Room = { policies: new Map(), alike: new Map(), labelsOf: new Map() };
    this.#rooms.set(namespace, room);
    for (const pod of reader.list(pods, namespace)) this.#place(room, keyOf(pod), pod);
    return room;
  }

  #place(room: Room, key: string, pod: Pod | undefined): void {
    const { labels = {} } = pod?.metadata ?? {};
    const [before, after] = [room.labelsOf.get(key), pod && !isTerminal(pod) ? JSON.stringify(labels) : undefined];
    if (before === after) return;
    if (after === undefined) room.labelsOf.delete(key);
    else this.#join(room, key, after, labels);
    if (before !== undefined) this.#leave(room, key, before);
  }

  #join(room: Room, key: string, text: string, labels: Labels): void {
    room.labelsOf.set(key, text);
    const known = room.alike.get(text);
    if (known) known.keys.add(key);
    else {
      room.alike.set(text, { labels, keys: new Set([key]) });
      this.#count(room, labels, 1);
    }
  }

  #leave(room: Room, key: string, text: string): void {
    const known = room.alike.get(text);
    known?.keys.delete(key);
    if (known === undefined || known.keys.size > 0) return;
    room.alike.delete(text);
    this.#count(room, known.labels, -1);
  }

  #count({ policies }: Room, labels: Labels, more: 1 | -1): void {
    for (const [policy, selecting] of policies) {
      if (!matchesSelector(selecting.selector, labels)) continue;
      selecting.kinds += more;
      if (selecting.kinds === (more === 1 ? 1 : 0)) this.#turned.add(policy);
    }
  }
}

function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}
