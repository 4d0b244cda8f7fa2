import { matchesSelector } from "../../model/label-selector.ts";
import type { PolicyEntry } from "../../model/network.ts";
import type { LocalPod, NetworkState } from "../plane/network-state.ts";
import type { Touched } from "../plane/touched.ts";
import { BlockSets } from "./block-sets.ts";
import { otherAddressesOf } from "./ip-block.ts";
import { podThings, sharedAsking } from "./pod-rules.ts";
import {
  baseThings,
  blocksOf,
  type ElementsOf,
  groupsOf,
  groupThings,
  policyThings,
  type SetsOf,
  sharedElements,
} from "./policy-rules.ts";
import { isSameThing, type Thing, type Things } from "./thing.ts";

/** What the kernel is to have, kept up to date by looking only at what was touched: policies, pods of this node, groups that some policy of theirs names. */
export class PolicyPlan {
  readonly #things = new Map<string, Thing>();
  /** Who says what of a name, where more than one does for a moment: the last one counts, and when it goes, the one before. */
  readonly #claims = new Map<string, Map<string, Thing>>();
  readonly #owned = new Map<string, readonly string[]>();
  /** Namespace → policies, by id. */
  readonly #policies = new Map<string, Map<string, PolicyEntry>>();
  readonly #namespaceOf = new Map<string, string>();
  readonly #pods = new Map<string, LocalPod>();
  /** Policy → uids of the pods that it selects. */
  readonly #selected = new Map<string, Set<string>>();
  /** Group → policies that name it and select some pod, with the named ports that each asks for. */
  readonly #users = new Map<string, Map<string, readonly string[]>>();
  readonly #blocks = new BlockSets();
  readonly #changed = new Set<string>();

  get things(): Things {
    return new Map(this.#things);
  }

  get(name: string): Thing | undefined {
    return this.#things.get(name);
  }

  /** How many pods of this node some policy selects. */
  get selectedPods(): number {
    return new Set([...this.#selected.values()].flatMap((uids) => [...uids])).size;
  }

  /** Policies that select a pod, sorted. */
  policiesOf(uid: string): readonly PolicyEntry[] {
    const pod = this.#pods.get(uid);
    const near = [...(this.#policies.get(pod?.namespace ?? "")?.values() ?? [])];
    return near.filter(({ id }) => this.#selected.get(id)?.has(uid)).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Names of what is to be otherwise than before. */
  update(state: NetworkState, touched: Touched): ReadonlySet<string> {
    this.#changed.clear();
    const all = touched.isAll;
    const policies = all ? new Set([...this.#namespaceOf.keys(), ...state.tables.policy.keys()]) : touched.policies;
    const uids = all ? new Set([...this.#pods.keys(), ...state.localPods.keys()]) : touched.localPods;
    const [dirtyPolicies, dirtyPods] = [new Set(policies), new Set(uids)];
    for (const uid of uids) this.#hearPod(uid, state.localPods.get(uid), dirtyPolicies);
    const blocks = this.#hearNodes(state, touched, dirtyPolicies);
    for (const id of policies) this.#hearPolicy(id, state.tables.policy.get(id), dirtyPods);
    // Those that went first: an address may be another's now.
    for (const uid of dirtyPods) if (!this.#pods.has(uid)) this.#own(`pod ${uid}`, new Map());
    const groups = new Set(all ? this.#users.keys() : touched.groups);
    for (const id of dirtyPolicies) this.#makePolicy(id, groups, blocks);
    const asking = sharedAsking();
    for (const uid of dirtyPods) {
      const pod = this.#pods.get(uid);
      if (pod) this.#own(`pod ${uid}`, podThings(pod, this.policiesOf(uid), asking));
    }
    const elementsOf = sharedElements();
    for (const group of groups) this.#makeGroup(group, state, elementsOf);
    for (const key of blocks) this.#own(`block ${key}`, this.#blocks.things(key));
    this.#own("base", this.#selected.size > 0 ? baseThings(state.gateway, state.self?.podRange) : new Map());
    return new Set(this.#changed);
  }

  /** Blocks whose sets are others than before. Policies that say them are written anew only where a set of theirs comes or goes. */
  #hearNodes({ tables }: NetworkState, { isAll, nodes }: Touched, dirtyPolicies: Set<string>): Set<string> {
    const blocks = new Set<string>();
    for (const id of isAll ? new Set([...this.#blocks.nodes, ...tables.node.keys()]) : nodes) {
      const node = tables.node.get(id);
      const others = node && otherAddressesOf(node);
      const { changed, turned } = this.#blocks.hear(id, node && others ? [node.address, others] : undefined);
      for (const key of changed) blocks.add(key);
      for (const key of turned) for (const policy of this.#blocks.policiesOf(key)) dirtyPolicies.add(policy);
    }
    return blocks;
  }

  #hearPod(uid: string, pod: LocalPod | undefined, dirtyPolicies: Set<string>): void {
    const before = this.#pods.get(uid);
    if (pod) this.#pods.set(uid, pod);
    else this.#pods.delete(uid);
    for (const policy of this.#policies.get((pod ?? before)?.namespace ?? "")?.values() ?? []) {
      const [was, is] = [this.#selected.get(policy.id)?.has(uid) === true, pod !== undefined && selects(policy, pod)];
      this.#select(policy.id, uid, is);
      // Its address and its named ports may be others than before.
      if (was || is) dirtyPolicies.add(policy.id);
    }
  }

  #hearPolicy(id: string, policy: PolicyEntry | undefined, dirtyPods: Set<string>): void {
    const namespace = policy?.namespace ?? this.#namespaceOf.get(id) ?? "";
    const near = this.#policies.get(namespace) ?? new Map<string, PolicyEntry>();
    if (policy) {
      this.#policies.set(namespace, near.set(id, policy));
      this.#namespaceOf.set(id, namespace);
    } else {
      near.delete(id);
      if (near.size === 0) this.#policies.delete(namespace);
      this.#namespaceOf.delete(id);
    }
    for (const uid of this.#selected.get(id) ?? []) dirtyPods.add(uid);
    this.#selected.delete(id);
    if (policy === undefined) return;
    for (const pod of this.#pods.values())
      if (selects(policy, pod)) {
        this.#select(id, pod.uid, true);
        dirtyPods.add(pod.uid);
      }
  }

  #select(policy: string, uid: string, isSelected: boolean): void {
    const uids = this.#selected.get(policy) ?? new Set<string>();
    if (isSelected) uids.add(uid);
    else uids.delete(uid);
    if (uids.size > 0) this.#selected.set(policy, uids);
    else this.#selected.delete(policy);
  }

  #makePolicy(id: string, groups: Set<string>, blocks: Set<string>): void {
    const policy = this.#policies.get(this.#namespaceOf.get(id) ?? "")?.get(id);
    const uids = [...(this.#selected.get(id) ?? [])].sort();
    const pods = uids.flatMap((uid) => this.#pods.get(uid) ?? []);
    for (const key of this.#blocks.use(id, policy && pods.length > 0 ? blocksOf(policy) : [])) blocks.add(key);
    const setsOf: SetsOf = (block) => this.#blocks.setsOf(block);
    this.#own(`policy ${id}`, policy ? policyThings(policy, pods, setsOf) : new Map());
    const used = policy && pods.length > 0 ? groupsOf(policy) : new Map<string, readonly string[]>();
    for (const [group, users] of this.#users)
      if (!used.has(group) && users.delete(id)) {
        groups.add(group);
        if (users.size === 0) this.#users.delete(group);
      }
    for (const [group, ports] of used) {
      this.#users.set(group, (this.#users.get(group) ?? new Map<string, readonly string[]>()).set(id, ports));
      groups.add(group);
    }
  }

  #makeGroup(group: string, state: NetworkState, elementsOf: ElementsOf): void {
    const users = this.#users.get(group);
    const ports = [...new Set([...(users?.values() ?? [])].flat())].sort();
    this.#own(`group ${group}`, users ? groupThings(group, state.peersOf(group), ports, elementsOf) : new Map());
  }

  #own(owner: string, things: Things): void {
    for (const name of this.#owned.get(owner) ?? []) if (!things.has(name)) this.#claim(name, owner, undefined);
    for (const [name, thing] of things) this.#claim(name, owner, thing);
    if (things.size > 0) this.#owned.set(owner, [...things.keys()]);
    else this.#owned.delete(owner);
  }

  #claim(name: string, owner: string, thing: Thing | undefined): void {
    const claims = this.#claims.get(name) ?? new Map<string, Thing>();
    if (thing) claims.set(owner, thing);
    else claims.delete(owner);
    if (claims.size > 0) this.#claims.set(name, claims);
    else this.#claims.delete(name);
    const now = [...claims.values()].at(-1);
    if (isSameThing(now, this.#things.get(name))) return;
    if (now) this.#things.set(name, now);
    else this.#things.delete(name);
    this.#changed.add(name);
  }
}

function selects({ namespace, podSelector }: PolicyEntry, pod: LocalPod): boolean {
  return pod.namespace === namespace && matchesSelector(podSelector, pod.labels);
}
