/**
 * Which addresses the peers of NetworkPolicies have: an entry per group and node, of groups that are asked for by a policy which selects some
 * pod. A group is held against kinds of pods, not against each; with no such policies, pods are not looked at for it at all.
 */
import { type Kind, keyOf } from "../model/meta.ts";
import { NAMESPACE_NAME_LABEL, namespaces } from "../model/namespace.ts";
import { type NetworkPolicy, networkPolicies } from "../model/network-policy.ts";
import { type Pod, pods } from "../model/pod.ts";
import { type Change, type Reader, sameJson } from "../store/transaction.ts";
import type { EntrySink, EntrySource } from "./entry-source.ts";
import { GroupIndex } from "./group-index.ts";
import { meansNamespace, meansPod, type PeerGroup } from "./peer-group.ts";
import { type Member, memberOf, type PeerKind, PeerKinds } from "./peer-kinds.ts";
import { peersEntry, peersEntryId } from "./peers-entry.ts";
import { compilePolicy } from "./policy-entry.ts";
import { PolicyUse } from "./policy-use.ts";

export class PeersSource implements EntrySource {
  readonly name = "peers";
  readonly kinds: readonly Kind[] = [networkPolicies, namespaces, pods] as readonly unknown[] as readonly Kind[];
  readonly #use = new PolicyUse();
  readonly #index = new GroupIndex();
  /** Policy → ids of its groups. */
  readonly #asked = new Map<string, readonly string[]>();
  /** All pods that have addresses, while there is any group. */
  readonly #pods = new PeerKinds();
  /** Group → what pods it means. */
  readonly #rosters = new Map<string, Set<PeerKind>>();
  /** Group → nodes whose entries are to be made again. */
  readonly #dirty = new Map<string, Set<string>>();

  begin(reader: Reader, sink: EntrySink): void {
    const keys = reader.list(networkPolicies).map(keyOf);
    this.#hear(new Set(keys), new Set(), new Set(), reader);
    this.#tell(sink);
  }

  changed(changes: readonly Change[], reader: Reader, sink: EntrySink): void {
    const [policyKeys, namespaceNames, podKeys] = [new Set<string>(), new Set<string>(), new Set<string>()];
    for (const { kind, key } of changes)
      (kind.name === pods.name ? podKeys : kind.name === namespaces.name ? namespaceNames : policyKeys).add(key);
    this.#hear(policyKeys, namespaceNames, podKeys, reader);
    this.#tell(sink);
  }

  #hear(
    policyKeys: ReadonlySet<string>,
    namespaceNames: ReadonlySet<string>,
    podKeys: ReadonlySet<string>,
    reader: Reader,
  ): void {
    for (const key of podKeys) this.#use.hearPod(key, reader.get(pods, key));
    for (const key of policyKeys) this.#use.hearPolicy(key, reader.get(networkPolicies, key)?.spec.podSelector, reader);
    const wasIdle = this.#index.size === 0;
    const fresh = [...new Set([...policyKeys, ...this.#use.turned()])].flatMap((key) => {
      const policy = this.#use.isUsed(key) ? reader.get(networkPolicies, key) : undefined;
      return this.#hearPolicy(key, policy);
    });
    if (this.#index.size === 0) this.#pods.clear();
    else if (wasIdle) for (const pod of reader.list(pods)) this.#look(keyOf(pod), pod, reader);
    else {
      for (const name of namespaceNames) this.#relabelled(name, reader);
      this.#findMembers(fresh, reader);
      for (const key of podKeys) this.#look(key, reader.get(pods, key), reader);
    }
  }

  /** Groups that are new. */
  #hearPolicy(key: string, policy: NetworkPolicy | undefined): readonly PeerGroup[] {
    const groups = policy ? [...compilePolicy(policy).groups.values()] : [];
    const ids = new Set(groups.map(({ group }) => group.id));
    const fresh = groups.filter(({ group, ports }) => {
      const { isNew, isOtherwise } = this.#index.ask(group, key, ports);
      if (isOtherwise) this.#dirtyAll(group.id);
      return isNew;
    });
    for (const id of this.#asked.get(key) ?? []) if (!ids.has(id)) this.#leave(id, key);
    if (ids.size > 0) this.#asked.set(key, [...ids]);
    else this.#asked.delete(key);
    return fresh.map(({ group }) => group);
  }

  /** A group that nobody asks for is forgotten. */
  #leave(id: string, policy: string): void {
    const { isGone, isOtherwise } = this.#index.leave(id, policy);
    if (isOtherwise || isGone) this.#dirtyAll(id);
    if (!isGone) return;
    for (const kind of this.#rosters.get(id) ?? []) kind.groups.delete(id);
    this.#rosters.delete(id);
  }

  #relabelled(namespace: string, reader: Reader): void {
    for (const kind of this.#pods.of(namespace))
      for (const id of this.#regroup(kind, reader)) for (const node of kind.members.keys()) this.#dirtyAt(id, node);
  }

  #findMembers(fresh: readonly PeerGroup[], reader: Reader): void {
    if (fresh.length === 0) return;
    for (const namespace of this.#pods.namespaces) {
      const labels = labelsOf(namespace, reader);
      const near = fresh.filter((group) => meansNamespace(group, namespace, labels));
      if (near.length === 0) continue;
      for (const kind of this.#pods.of(namespace))
        for (const group of near) if (meansPod(group, namespace, labels, kind.labels)) this.#enroll(group.id, kind);
      for (const { id } of near) this.#dirtyAll(id);
    }
  }

  /** Ids of groups that it came to or left. */
  #regroup(kind: PeerKind, reader: Reader): readonly string[] {
    const { namespace, labels } = kind;
    const groups = new Set(this.#index.groupsOf(namespace, labelsOf(namespace, reader), labels));
    const turned = [...groups.symmetricDifference(kind.groups)];
    for (const id of turned) groups.has(id) ? this.#enroll(id, kind) : this.#expel(id, kind);
    return turned;
  }

  #enroll(id: string, kind: PeerKind): void {
    kind.groups.add(id);
    const roster = this.#rosters.get(id) ?? new Set<PeerKind>();
    this.#rosters.set(id, roster.add(kind));
  }

  #expel(id: string, kind: PeerKind): void {
    kind.groups.delete(id);
    const roster = this.#rosters.get(id);
    roster?.delete(kind);
    if (roster?.size === 0) this.#rosters.delete(id);
  }

  #look(key: string, pod: Pod | undefined, reader: Reader): void {
    const before = this.#pods.get(key);
    const member = pod && memberOf(key, pod);
    const isSame = before !== undefined && member !== undefined && sameJson(before.member, member);
    if (isSame && sameJson(before.kind.labels, pod?.metadata.labels ?? {})) return;
    const after = pod && member ? this.#pods.join(member, pod) : undefined;
    if (after?.isNew) this.#regroup(after.kind, reader);
    const none: ReadonlySet<string> = new Set();
    const [left, joined] = [before?.kind.groups ?? none, after?.kind.groups ?? none];
    // What it is to its groups is as it was: only those that it came to or left are made again.
    for (const id of left) if (!isSame || !joined.has(id)) this.#dirtyAt(id, before?.member.node ?? "");
    for (const id of joined) if (!isSame || !left.has(id)) this.#dirtyAt(id, member?.node ?? "");
    if (before && this.#pods.leave(before)) for (const id of [...before.kind.groups]) this.#expel(id, before.kind);
  }

  #dirtyAll(group: string): void {
    for (const { members } of this.#rosters.get(group) ?? [])
      for (const node of members.keys()) this.#dirtyAt(group, node);
  }

  #dirtyAt(group: string, node: string): void {
    const nodes = this.#dirty.get(group) ?? new Set<string>();
    this.#dirty.set(group, nodes.add(node));
  }

  #tell(sink: EntrySink): void {
    for (const [group, nodes] of this.#dirty) {
      const members = this.#membersAt(group, nodes);
      const names = this.#index.portsOf(group);
      for (const node of nodes) {
        const there = members.get(node);
        if (there) sink.put(peersEntry(group, node, there, names));
        else sink.remove("peers", peersEntryId(group, node));
      }
    }
    this.#dirty.clear();
  }

  #membersAt(group: string, nodes: ReadonlySet<string>): ReadonlyMap<string, readonly Member[]> {
    const found = new Map<string, Member[]>();
    for (const { members } of this.#rosters.get(group) ?? [])
      for (const node of nodes.size < members.size ? nodes : members.keys()) {
        const there = nodes.has(node) ? members.get(node) : undefined;
        if (there === undefined) continue;
        const list = found.get(node) ?? [];
        list.push(...there.values());
        found.set(node, list);
      }
    return found;
  }
}

function labelsOf(namespace: string, reader: Reader): Readonly<Record<string, string>> {
  return { ...reader.get(namespaces, namespace)?.metadata.labels, [NAMESPACE_NAME_LABEL]: namespace };
}
