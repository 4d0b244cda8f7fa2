/** A NetworkPolicy as nodes are told it: its defaults filled in (networking.k8s.io/v1), its peers as groups. Pure. */
import { keyOf } from "../model/meta.ts";
import type { PolicyEntry, PolicyPeer, PolicyPort, PolicyRule, Protocol } from "../model/network.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../model/network-policy.ts";
import { type PeerGroup, peerGroup } from "./peer-group.ts";

interface Compiled {
  readonly entry: PolicyEntry;
  /** Those that its rules name, and the named ports that are asked of them. */
  readonly groups: ReadonlyMap<string, { readonly group: PeerGroup; readonly ports: ReadonlySet<string> }>;
}

export function compilePolicy(policy: NetworkPolicy): Compiled {
  const { namespace = "default" } = policy.metadata;
  const { podSelector = {}, ingress = [], egress = [] } = policy.spec;
  // Without types, a policy is about what comes in, and about what goes out if it says something of that.
  const types = policy.spec.policyTypes ?? ["Ingress", ...(egress.length > 0 ? ["Egress"] : [])];
  const groups: Groups = new Map();
  const incoming = ingress.flatMap(({ from, ports }) => ruleOf(from, ports, namespace, groups));
  const outgoing = egress.flatMap(({ to, ports }) => outgoingRules(to, ports, namespace, groups));
  const entry: PolicyEntry = {
    ...{ kind: "policy", id: keyOf(policy), namespace, podSelector },
    ...(types.includes("Ingress") ? { ingress: incoming } : {}),
    ...(types.includes("Egress") ? { egress: outgoing } : {}),
  };
  return { entry, groups: types.length === 0 ? new Map() : groups };
}

type Groups = Map<string, { readonly group: PeerGroup; readonly ports: Set<string> }>;

function ruleOf(
  peers: readonly NetworkPolicyPeer[] | undefined,
  ports: readonly NetworkPolicyPort[] | undefined,
  namespace: string,
  groups: Groups,
  named: readonly string[] = [],
): readonly PolicyRule[] {
  // Missing and empty both mean everybody, and every port.
  const from = peers === undefined || peers.length === 0 ? undefined : peersOf(peers, namespace, groups, named);
  const listed = ports === undefined || ports.length === 0 ? undefined : ports.map(portOf);
  return [{ ...(from ? { from } : {}), ...(listed ? { ports: listed } : {}) }];
}

/** The name of a port is one of the pod that listens. Where everybody is meant, those are all pods; no address outside has named ports. */
function outgoingRules(
  to: readonly NetworkPolicyPeer[] | undefined,
  ports: readonly NetworkPolicyPort[] | undefined,
  namespace: string,
  groups: Groups,
): readonly PolicyRule[] {
  const [named, numbered] = [ports?.filter(isNamed) ?? [], ports?.filter((port) => !isNamed(port))];
  const names = named.map(({ port }) => String(port));
  if (names.length === 0) return ruleOf(to, ports, namespace, groups);
  const everybody = to === undefined || to.length === 0;
  const asked = everybody ? [{ namespaceSelector: {} }] : to.filter(({ ipBlock }) => ipBlock === undefined);
  return [
    ...(asked.length > 0 ? ruleOf(asked, named, namespace, groups, names) : []),
    ...(numbered !== undefined && numbered.length > 0 ? ruleOf(to, numbered, namespace, groups) : []),
  ];
}

function peersOf(
  peers: readonly NetworkPolicyPeer[],
  namespace: string,
  groups: Groups,
  named: readonly string[],
): readonly PolicyPeer[] {
  return peers.flatMap((peer): readonly PolicyPeer[] => {
    if (peer.ipBlock) return [{ cidr: peer.ipBlock.cidr, except: peer.ipBlock.except ?? [] }];
    const group = peerGroup(peer, namespace);
    if (group === undefined) return [];
    const known = groups.get(group.id) ?? { group, ports: new Set<string>() };
    for (const name of named) known.ports.add(name);
    groups.set(group.id, known);
    return [{ peers: group.id }];
  });
}

function isNamed({ port }: NetworkPolicyPort): boolean {
  return typeof port === "string" && !/^\d+$/.test(port);
}

function portOf(wanted: NetworkPolicyPort): PolicyPort {
  const { protocol = "TCP", port, endPort } = wanted;
  const at = port === undefined || isNamed(wanted) ? port : Number(port);
  return {
    protocol: protocol.toLowerCase() as Protocol,
    ...(at === undefined ? {} : { port: at }),
    ...(endPort === undefined ? {} : { endPort }),
  };
}
