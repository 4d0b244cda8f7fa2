/**
 * Which addresses the peers of NetworkPolicies have: an entry per group and node. One pod's change is looked at with those groups only that it
 * can be of; with no policies, pods are not looked at at all.
 */
import { parseAddress } from "../lib/subnet.ts";
import { childrenOnNetwork } from "../model/children-on-network.ts";
import type { Labels } from "../model/label-selector.ts";
import { type Kind, keyOf } from "../model/meta.ts";
import { NAMESPACE_NAME_LABEL, namespaces } from "../model/namespace.ts";
import type { PeersEntry } from "../model/network.ts";
import { type NetworkPolicy, networkPolicies } from "../model/network-policy.ts";
import { isTerminal, type Pod, pods } from "../model/pod.ts";
import type { Change, Reader } from "../store/transaction.ts";
import type { EntrySink, EntrySource } from "./entry-source.ts";
import { GroupIndex } from "./group-index.ts";
import { compilePolicy } from "./policy-entry.ts";

interface Member {
  readonly node: string;
  /** One; of a unit, those of containers that it started on the pod network. */
  readonly addresses: readonly string[];
  /** Its named ports. */
  readonly ports: Readonly<Record<string, number>>;
  readonly groups: readonly string[];
}

/** Group → node → keys of its pods there. */
type Rosters = Map<string, Map<string, Set<string>>>;

export class PeersSource implements EntrySource {
  readonly name = "peers";
  readonly kinds: readonly Kind[] = [networkPolicies, namespaces, pods] as readonly unknown[] as readonly Kind[];
  readonly #index = new GroupIndex();
  /** Policy → ids of its groups. */
  readonly #asked = new Map<string, readonly string[]>();
  /** Pods that are of some group. */
  readonly #members = new Map<string, Member>();
  readonly #rosters: Rosters = new Map();
  /** Group → nodes whose entries are to be made again. */
  readonly #dirty = new Map<string, Set<string>>();

  begin(reader: Reader, sink: EntrySink): void {
    for (const policy of reader.list(networkPolicies)) this.#hearPolicy(keyOf(policy), policy);
    if (this.#index.size > 0) for (const pod of reader.list(pods)) this.#look(keyOf(pod), pod, reader);
    this.#tell(sink);
  }

  changed(changes: readonly Change[], reader: Reader, sink: EntrySink): void {
    const [policyKeys, namespaceNames, podKeys] = [new Set<string>(), new Set<string>(), new Set<string>()];
    for (const { kind, key } of changes)
      (kind.name === pods.name ? podKeys : kind.name === namespaces.name ? namespaceNames : policyKeys).add(key);
    const wide = [...policyKeys].flatMap((key) => this.#hearPolicy(key, reader.get(networkPolicies, key)));
    const everywhere = wide.includes("");
    const within = everywhere ? [undefined] : new Set([...wide, ...namespaceNames]);
    if (this.#index.size > 0)
      for (const namespace of within)
        for (const pod of reader.list(pods, namespace)) this.#look(keyOf(pod), pod, reader);
    if (this.#index.size > 0 || this.#members.size > 0)
      for (const key of podKeys) this.#look(key, reader.get(pods, key), reader);
    this.#tell(sink);
  }

  /** Namespaces whose pods are to be looked at for groups that are new; "": all. */
  #hearPolicy(key: string, policy: NetworkPolicy | undefined): readonly string[] {
    const groups = policy ? [...compilePolicy(policy).groups.values()] : [];
    const ids = new Set(groups.map(({ group }) => group.id));
    const fresh = groups.filter(({ group, ports }) => {
      const isNew = this.#index.ask(group, key, ports);
      // Another name may be asked for than before.
      if (!isNew) this.#dirtyAll(group.id);
      return isNew;
    });
    for (const id of this.#asked.get(key) ?? []) if (!ids.has(id)) this.#leave(id, key);
    if (ids.size > 0) this.#asked.set(key, [...ids]);
    else this.#asked.delete(key);
    return fresh.map(({ group }) => ("namespace" in group.in ? group.in.namespace : ""));
  }

  /** A group that nobody asks for is forgotten, and so are pods that are of no other. */
  #leave(id: string, policy: string): void {
    this.#dirtyAll(id);
    if (!this.#index.leave(id, policy)) return;
    for (const keys of this.#rosters.get(id)?.values() ?? [])
      for (const key of keys) {
        const member = this.#members.get(key);
        const groups = member?.groups.filter((group) => group !== id) ?? [];
        if (member && groups.length > 0) this.#members.set(key, { ...member, groups });
        else this.#members.delete(key);
      }
    this.#rosters.delete(id);
  }

  #look(key: string, pod: Pod | undefined, reader: Reader): void {
    const before = this.#members.get(key);
    const after = pod && this.#memberOf(pod, reader);
    if (before === undefined && after === undefined) return;
    // What it is to its groups is as it was: only those that it came to or left are made again.
    const isSame = before !== undefined && after !== undefined && isSameButGroups(before, after);
    const [left, joined] = [leftOf(before, after), leftOf(after, before)];
    if (isSame && left.length === 0 && joined.length === 0) return;
    for (const group of isSame ? left : (before?.groups ?? [])) this.#enroll(group, before?.node ?? "", key, false);
    if (after) this.#members.set(key, after);
    else this.#members.delete(key);
    for (const group of isSame ? joined : (after?.groups ?? [])) this.#enroll(group, after?.node ?? "", key, true);
  }

  /** Of a pod on its host's network itself nothing is told: its address is that of everything there. */
  #memberOf(pod: Pod, reader: Reader): Member | undefined {
    const { metadata, spec } = pod;
    const { nodeName: node } = spec;
    // Nothing but addresses may come into the kernel's rules of all nodes.
    const addresses = addressesOf(pod).filter((address) => parseAddress(address) !== undefined);
    if (node === undefined || addresses.length === 0) return undefined;
    if (isTerminal(pod)) return undefined;
    const { namespace = "" } = metadata;
    const groups = this.#index.groupsOf(namespace, labelsOf(namespace, reader), metadata.labels ?? {});
    return groups.length === 0 ? undefined : { node, addresses, ports: namedPorts(pod), groups };
  }

  #enroll(group: string, node: string, key: string, isOf: boolean): void {
    const roster = this.#rosters.get(group) ?? new Map<string, Set<string>>();
    const keys = roster.get(node) ?? new Set<string>();
    if (isOf) keys.add(key);
    else keys.delete(key);
    if (keys.size > 0) roster.set(node, keys);
    else roster.delete(node);
    if (roster.size > 0) this.#rosters.set(group, roster);
    else this.#rosters.delete(group);
    this.#dirtyAt(group, node);
  }

  #dirtyAll(group: string): void {
    for (const node of this.#rosters.get(group)?.keys() ?? []) this.#dirtyAt(group, node);
  }

  #dirtyAt(group: string, node: string): void {
    this.#dirty.set(group, (this.#dirty.get(group) ?? new Set<string>()).add(node));
  }

  #tell(sink: EntrySink): void {
    for (const [group, nodes] of this.#dirty)
      for (const node of nodes) {
        const keys = this.#rosters.get(group)?.get(node);
        if (keys) sink.put(this.#entry(group, node, keys));
        else sink.remove("peers", entryId(group, node));
      }
    this.#dirty.clear();
  }

  #entry(group: string, node: string, keys: ReadonlySet<string>): PeersEntry {
    const members = [...keys].sort().flatMap((key) => this.#members.get(key) ?? []);
    const named = namedOf(members, this.#index.portsOf(group));
    return {
      ...{ kind: "peers", id: entryId(group, node), group },
      addresses: [...new Set(members.flatMap(({ addresses }) => addresses))].sort(),
      ...(named ? { named } : {}),
    };
  }
}

function entryId(group: string, node: string): string {
  return `${group} on ${node}`;
}

function labelsOf(namespace: string, reader: Reader): Labels {
  return { ...reader.get(namespaces, namespace)?.metadata.labels, [NAMESPACE_NAME_LABEL]: namespace };
}

function addressesOf({ spec, status }: Pod): readonly string[] {
  const { podIP, hostIP } = status;
  const isOnHost = podIP === undefined || podIP === hostIP || spec.hostNetwork === true;
  return isOnHost ? childrenOnNetwork(status).map(({ address }) => address) : [podIP];
}

function isSameButGroups({ groups: _one, ...before }: Member, { groups: _other, ...after }: Member): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

/** Groups of the one that are none of the other's. */
function leftOf(one: Member | undefined, other: Member | undefined): readonly string[] {
  const groups = new Set(other?.groups);
  return (one?.groups ?? []).filter((group) => !groups.has(group));
}

function namedPorts({ spec }: Pod): Readonly<Record<string, number>> {
  const all = spec.containers.flatMap(({ ports = [] }) => ports);
  return Object.fromEntries(all.flatMap(({ name, containerPort }) => (name ? [[name, containerPort] as const] : [])));
}

function namedOf(members: readonly Member[], names: ReadonlySet<string>): PeersEntry["named"] {
  const named = [...names].sort().flatMap((name) => {
    const ports = members.flatMap(({ addresses, ports }) =>
      Object.hasOwn(ports, name) ? addresses.map((address) => [address, ports[name] ?? 0] as const) : [],
    );
    return ports.length === 0 ? [] : [[name, Object.fromEntries(ports)] as const];
  });
  return named.length === 0 ? undefined : Object.fromEntries(named);
}
