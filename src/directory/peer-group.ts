/** The pods that a peer of a NetworkPolicy means, as a group with a name: peers of several policies that mean the same share one. */
import type { LabelRequirement, LabelSelector } from "../model/constraint.ts";
import { type Labels, matchesSelector } from "../model/label-selector.ts";
import { NAMESPACE_NAME_LABEL } from "../model/namespace.ts";
import type { NetworkPolicyPeer } from "../model/network-policy.ts";

export interface PeerGroup {
  /** Its selectors in words: equal for equal groups only. */
  readonly id: string;
  /** Pods of this namespace, or of those that the selector picks. */
  readonly in: { readonly namespace: string } | { readonly namespaces: LabelSelector };
  readonly pods: LabelSelector;
}

/** Undefined for an ipBlock, and for a peer that names nobody. `namespace`: the policy's own. */
export function peerGroup(
  { podSelector, namespaceSelector }: NetworkPolicyPeer,
  namespace: string,
): PeerGroup | undefined {
  if (podSelector === undefined && namespaceSelector === undefined) return undefined;
  const pods = podSelector ?? {};
  const where = `pods ${selectorText(pods)} in`;
  if (namespaceSelector === undefined) return { id: `${where} ${namespace}`, in: { namespace }, pods };
  const id = `${where} namespaces ${selectorText(namespaceSelector)}`;
  return { id, in: { namespaces: namespaceSelector }, pods };
}

export function meansPod(group: PeerGroup, namespace: string, namespaceLabels: Labels, labels: Labels): boolean {
  return meansNamespace(group, namespace, namespaceLabels) && matchesSelector(group.pods, labels);
}

export function meansNamespace(group: PeerGroup, namespace: string, labels: Labels): boolean {
  if ("namespace" in group.in) return group.in.namespace === namespace;
  return matchesSelector(group.in.namespaces, labels);
}

/** Under which a group is found from its pods' side: only a pod of this namespace ("": any) with this label (undefined: any) can be of it. */
export interface GroupPlace {
  readonly namespace: string;
  readonly label: string | undefined;
}

export function placeOf({ in: where, pods }: PeerGroup): GroupPlace {
  const named = "namespaces" in where ? where.namespaces.matchLabels?.[NAMESPACE_NAME_LABEL] : where.namespace;
  const [pair] = Object.entries(pods.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return { namespace: named ?? "", label: pair && `${pair[0]}=${pair[1]}` };
}

/** `[app=web, tier in (a, b)]`; `[all]`. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const pairs = Object.entries(matchLabels).map(([key, value]) => `${key}=${plain(value)}`);
  const terms = [...new Set([...pairs, ...matchExpressions.map(requirementText)])].sort();
  return `[${terms.length === 0 ? "all" : terms.join(", ")}]`;
}

function requirementText({ key, operator, values = [] }: LabelRequirement): string {
  const listed = values.map(plain).toSorted().join(", ");
  if (operator === "Exists") return key;
  if (operator === "DoesNotExist") return `!${key}`;
  return `${key} ${operator === "NotIn" ? "not in" : operator === "In" ? "in" : operator} (${listed})`;
}

/** What is no label's value in quotes, so that no two selectors read the same. */
function plain(value: string): string {
  return /^[\w.-]*$/.test(value) ? value : JSON.stringify(value);
}
