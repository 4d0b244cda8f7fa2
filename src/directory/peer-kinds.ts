import { parseAddress } from "../lib/subnet.ts";
import { childrenOnNetwork } from "../model/children-on-network.ts";
import type { Labels } from "../model/label-selector.ts";
import { isTerminal, type Pod } from "../model/pod.ts";

/** A pod that has addresses which can be told. */
export interface Member {
  readonly key: string;
  readonly node: string;
  /** One; of a unit, those of containers that it started on the pod network. */
  readonly addresses: readonly string[];
  /** Its named ports. */
  readonly ports: Readonly<Record<string, number>>;
}

/** Pods of one namespace with the same labels: a group means all of them or none. */
export interface PeerKind {
  readonly namespace: string;
  readonly labels: Labels;
  /** Ids of groups that mean it. */
  readonly groups: Set<string>;
  /** Node → its pods there, by key. */
  readonly members: Map<string, Map<string, Member>>;
}

/** Pods by what they are to groups: however many there are, a group is held against few. */
export class PeerKinds {
  readonly #byNamespace = new Map<string, Map<string, PeerKind>>();
  readonly #kindOf = new Map<string, { readonly kind: PeerKind; readonly member: Member }>();

  get namespaces(): readonly string[] {
    return [...this.#byNamespace.keys()];
  }

  of(namespace: string): readonly PeerKind[] {
    return [...(this.#byNamespace.get(namespace)?.values() ?? [])];
  }

  /** What it was until now. */
  get(key: string): { readonly kind: PeerKind; readonly member: Member } | undefined {
    return this.#kindOf.get(key);
  }

  clear(): void {
    this.#byNamespace.clear();
    this.#kindOf.clear();
  }

  /** The kind that it is of now, and whether there was no other of it before. */
  join(member: Member, { metadata }: Pod): { readonly kind: PeerKind; readonly isNew: boolean } {
    const { namespace = "", labels = {} } = metadata;
    const kinds = this.#byNamespace.get(namespace) ?? new Map<string, PeerKind>();
    this.#byNamespace.set(namespace, kinds);
    const text = JSON.stringify(labels);
    const known = kinds.get(text);
    const kind: PeerKind = known ?? { namespace, labels, groups: new Set(), members: new Map() };
    kinds.set(text, kind);
    const there = kind.members.get(member.node) ?? new Map<string, Member>();
    kind.members.set(member.node, there.set(member.key, member));
    this.#kindOf.set(member.key, { kind, member });
    return { kind, isNew: known === undefined };
  }

  /** Takes it from where it was; it may have joined anew meanwhile. Whether the kind has no pods any more. */
  leave({ kind, member }: { readonly kind: PeerKind; readonly member: Member }): boolean {
    const there = kind.members.get(member.node);
    if (there?.get(member.key) === member) there.delete(member.key);
    if (there?.size === 0) kind.members.delete(member.node);
    if (this.#kindOf.get(member.key)?.member === member) this.#kindOf.delete(member.key);
    if (kind.members.size > 0) return false;
    const kinds = this.#byNamespace.get(kind.namespace);
    kinds?.delete(JSON.stringify(kind.labels));
    if (kinds?.size === 0) this.#byNamespace.delete(kind.namespace);
    return true;
  }
}

/** Of a pod on its host's network itself nothing is told: its address is that of everything there. */
export function memberOf(key: string, pod: Pod): Member | undefined {
  const { nodeName: node } = pod.spec;
  // Nothing but addresses may come into the kernel's rules of all nodes.
  const addresses = addressesOf(pod).filter((address) => parseAddress(address) !== undefined);
  if (node === undefined || addresses.length === 0 || isTerminal(pod)) return undefined;
  return { key, node, addresses, ports: namedPorts(pod) };
}

function addressesOf({ spec, status }: Pod): readonly string[] {
  const { podIP, hostIP } = status;
  const isOnHost = podIP === undefined || podIP === hostIP || spec.hostNetwork === true;
  return isOnHost ? childrenOnNetwork(status).map(({ address }) => address) : [podIP];
}

function namedPorts({ spec }: Pod): Readonly<Record<string, number>> {
  const all = spec.containers.flatMap(({ ports = [] }) => ports);
  return Object.fromEntries(all.flatMap(({ name, containerPort }) => (name ? [[name, containerPort] as const] : [])));
}
