/** How much a NetworkPolicy asks of those who carry it out: of nodes lines of rules, of the leader groups of pods that it tells to all of them. Pure. */
import type { LabelSelector } from "./constraint.ts";
import { NAMESPACE_NAME_LABEL } from "./namespace.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "./network-policy.ts";

/** Each pod that it selects has a line of its own for it, on its node. */
const ITSELF = 10;

/** A group of pods of several namespaces: each pod of the cluster is asked whether it is of it. */
const WIDE = 10;

/** A label's value has so many characters at most; what is longer is carried all the same. */
const LONGEST_VALUE = 63;

/** `ITSELF`, and one for each rule, peer, exception, label that is asked for and port; `WIDE` for a peer of several namespaces; and a port by name once for each peer, as nodes look it up for each. */
export function sizeOfPolicy({ spec }: NetworkPolicy): number {
  const { podSelector, ingress = [], egress = [] } = spec;
  const rules = [
    ...ingress.map(({ from, ports }) => [from, ports] as const),
    ...egress.map(({ to, ports }) => [to, ports] as const),
  ];
  return rules.reduce((sum, [peers, ports]) => sum + sizeOfRule(peers, ports), ITSELF + sizeOfSelector(podSelector));
}

function sizeOfRule(peers: readonly NetworkPolicyPeer[] = [], ports: readonly NetworkPolicyPort[] = []): number {
  const named = ports.filter(({ port }) => typeof port === "string").length;
  const sum = peers.reduce((total, peer) => total + sizeOfPeer(peer), 0);
  return 1 + ports.length + sum * (1 + named);
}

function sizeOfPeer({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): number {
  if (ipBlock) return 1 + (ipBlock.except?.length ?? 0);
  const isWide = namespaceSelector !== undefined && namespaceSelector.matchLabels?.[NAMESPACE_NAME_LABEL] === undefined;
  return (isWide ? WIDE : 1) + sizeOfSelector(podSelector) + sizeOfSelector(namespaceSelector);
}

function sizeOfSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): number {
  const asked = matchExpressions.flatMap(({ key, values = [] }) => (values.length === 0 ? [key] : values));
  return [...Object.values(matchLabels), ...asked].reduce(
    (sum, text) => sum + Math.max(1, Math.ceil(text.length / LONGEST_VALUE)),
    0,
  );
}
