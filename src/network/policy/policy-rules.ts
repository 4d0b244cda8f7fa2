/**
 * One NetworkPolicy, one pod and one group of peers as rules. Pure.
 *
 *     forward: established goes on; ip saddr vmap @pol-out; ip daddr vmap @pol-in
 *     pol-out-POD    of a pod that some policy selects for what goes out: each policy's chain in turn, then drop
 *     pol-e-POLICY   what the policy lets out goes on at pol-arrive, which asks the other end's pol-in
 *     pol-in-POD, pol-i-POLICY   the same of what comes in
 *     pol-s-POLICIES   where there are more than two: all of them in turn, for every pod that has the same
 *
 * Policies add up: a packet passes when any of them lets it. The addresses are those behind the Service: DNAT came before.
 */
import type { PeersEntry, PolicyEntry, PolicyPeer, PolicyPort, PolicyRule } from "../../model/network.ts";
import type { LocalPod } from "../plane/network-state.ts";
import { type Block, type BlockSetNames, blockMatches, merged } from "./ip-block.ts";
import { publishedBase } from "./published-things.ts";
import { isAddress, isPort, named, type Thing } from "./thing.ts";

export type Direction = "in" | "out";

/** Where the other addresses of a block's hosts are. */
export type SetsOf = (block: Block) => BlockSetNames;

export const IN_MAP = "pol-in";
export const OUT_MAP = "pol-out";
const ARRIVE = "pol-arrive";

export function groupSet(group: string): string {
  return named("g", group);
}

/** Addresses and numbers of a group's pods that have a port of this name. */
export function groupPortSet(group: string, port: string): string {
  return named("n", `${group}\n${port}`);
}

export function policyChain(direction: Direction, policy: string): string {
  return named(direction === "in" ? "i" : "e", policy);
}

export function podChain(direction: Direction, uid: string): string {
  return named(direction, uid);
}

/** There as long as some policy selects some pod of this node. `podRange`: of this node's pods. */
export function baseThings(gateway: string | undefined, podRange?: string): ReadonlyMap<string, Thing> {
  const established = "ct state established,related accept";
  const [arriving, leaving] = [`ip daddr vmap @${IN_MAP}`, `ip saddr vmap @${OUT_MAP}`];
  const hook = (name: string) => `type filter hook ${name} priority -5; policy accept;`;
  const chain = (comment: string, rules: readonly string[], at?: string): Thing => ({
    ...{ kind: "chain", comment, rules },
    ...(at === undefined ? {} : { hook: hook(at) }),
  });
  // Questions for names go to the node: a policy that forgets them would break whatever it lets out. Other programs of the host may
  // have a port 53 as well, at other addresses of it: they are nobody's name server.
  const names = gateway === undefined ? [] : ["udp", "tcp"].map((one) => `ip daddr ${gateway} ${one} dport 53 accept`);
  return new Map<string, Thing>([
    [IN_MAP, { kind: "map", type: "ipv4_addr", comment: "pods that a NetworkPolicy selects for what comes in" }],
    [OUT_MAP, { kind: "map", type: "ipv4_addr", comment: "pods that a NetworkPolicy selects for what goes out" }],
    ...publishedBase(podRange),
    [ARRIVE, chain("let out: may it come in", [arriving, "accept"])],
    ["pol-forward", chain("from and to pods", [established, leaving, arriving], "forward")],
    ["pol-input", chain("from pods to this host", [established, ...names, leaving], "input")],
  ]);
}

/** `pods`: those of this node that it selects, sorted. */
export function policyThings(
  policy: PolicyEntry,
  pods: readonly LocalPod[],
  setsOf: SetsOf = () => ({}),
): ReadonlyMap<string, Thing> {
  const things = new Map<string, Thing>();
  if (pods.length === 0) return things;
  for (const direction of ["in", "out"] as const) {
    const rules = rulesOf(policy, direction);
    if (rules === undefined) continue;
    const verdict = direction === "in" ? "accept" : `goto ${ARRIVE}`;
    const lines = rules.flatMap((rule) =>
      matchesOf(policy, rule, direction, setsOf).map((match) => `${match} ${verdict}`.trim()),
    );
    const comment = `NetworkPolicy ${policy.id}, ${direction}`;
    things.set(policyChain(direction, policy.id), { kind: "chain", comment, rules: lines });
  }
  for (const name of namedPortsOf(policy.ingress ?? [])) {
    const comment = `port ${name} of the pods of NetworkPolicy ${policy.id}`;
    const elements = pods.flatMap(({ address, ports }) =>
      Object.hasOwn(ports, name) && isAddress(address) && isPort(ports[name]) ? [`${address} . ${ports[name]}`] : [],
    );
    things.set(ownPortSet(policy.id, name), {
      kind: "set",
      type: "ipv4_addr . inet_service",
      comment,
      elements: elements.sort(),
    });
  }
  return things;
}

/** The set of a group's addresses, and those of its named ports that are asked for. */
export function groupThings(
  group: string,
  entries: readonly PeersEntry[],
  ports: readonly string[],
  elementsOf: ElementsOf = sharedElements(),
): ReadonlyMap<string, Thing> {
  const things = new Map<string, Thing>([
    [groupSet(group), { kind: "set", type: "ipv4_addr", comment: group, elements: elementsOf(entries) }],
  ]);
  for (const port of ports) {
    const elements = entries.flatMap(({ named: at = {} }) =>
      Object.entries(at[port] ?? {}).flatMap(([address, number]) =>
        isAddress(address) && isPort(number) ? `${address} . ${number}` : [],
      ),
    );
    things.set(groupPortSet(group, port), {
      ...{ kind: "set", type: "ipv4_addr . inet_service", comment: `port ${port} of ${group}` },
      elements: [...new Set(elements)].sort(),
    });
  }
  return things;
}

export type ElementsOf = (entries: readonly PeersEntry[]) => readonly string[];

/** Groups that mean the same pods, of which there may be many, have one list: what it is made of, and what is different in it, is looked at once. */
export function sharedElements(): ElementsOf {
  const known = new Map<string, readonly string[]>();
  return (entries) => {
    const all = entries.flatMap(({ addresses }) => addresses);
    const text = all.join();
    const elements = known.get(text) ?? [...new Set(all.filter(isAddress))].sort();
    known.set(text, elements);
    return elements;
  };
}

/** Groups that a policy's rules name, with the named ports that are looked up in them. */
export function groupsOf(policy: PolicyEntry): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  for (const [direction, rules] of [
    ["in", policy.ingress],
    ["out", policy.egress],
  ] as const)
    for (const rule of rules ?? []) {
      const names = direction === "out" ? namedPortsOf([rule]) : [];
      for (const peer of rule.from ?? [])
        if ("peers" in peer) groups.set(peer.peers, [...new Set([...(groups.get(peer.peers) ?? []), ...names])].sort());
    }
  return groups;
}

/** Blocks of what comes in: only a host's packets may come from another address than its own. */
export function blocksOf({ ingress = [] }: PolicyEntry): readonly Block[] {
  return ingress.flatMap(({ from = [] }) => from.flatMap((peer) => ("cidr" in peer ? peer : [])));
}

export function rulesOf({ ingress, egress }: PolicyEntry, direction: Direction): readonly PolicyRule[] | undefined {
  return direction === "in" ? ingress : egress;
}

function ownPortSet(policy: string, port: string): string {
  return named("n", `policy ${policy}\n${port}`);
}

function namedPortsOf(rules: readonly PolicyRule[]): readonly string[] {
  const names = rules.flatMap(({ ports = [] }) => ports.flatMap(({ port }) => (typeof port === "string" ? port : [])));
  return [...new Set(names)].sort();
}

/** Each is a way for a packet to match the rule; "" matches all. */
function matchesOf(
  policy: PolicyEntry,
  { from, ports }: PolicyRule,
  direction: Direction,
  setsOf: SetsOf,
): readonly string[] {
  const peers = from?.flatMap((peer) => peerMatches(peer, direction, setsOf)) ?? [""];
  const numbers = ports === undefined ? [""] : portMatches(ports);
  const plain = peers.flatMap((peer) => numbers.map((port) => `${peer} ${port}`.trim()));
  const byName = (ports ?? []).filter(({ port }) => typeof port === "string");
  const lookedUp = byName.flatMap(({ protocol, port }) => {
    const match = (set: string) => `ip daddr . ${protocol} dport @${set}`;
    if (direction === "in") return peers.map((peer) => `${peer} ${match(ownPortSet(policy.id, String(port)))}`.trim());
    const groups = from?.flatMap((peer) => ("peers" in peer ? peer.peers : [])) ?? [];
    return groups.map((group) => match(groupPortSet(group, String(port))));
  });
  return [...plain, ...lookedUp];
}

/** None: never an address of ours (IPv6). */
function peerMatches(peer: PolicyPeer, direction: Direction, setsOf: SetsOf): readonly string[] {
  const side = direction === "in" ? "ip saddr" : "ip daddr";
  if ("peers" in peer) return [`${side} @${groupSet(peer.peers)}`];
  // Only what comes from a host may have another address than its own.
  return blockMatches(peer, side, direction === "in" ? setsOf(peer) : {});
}

function portMatches(ports: readonly PolicyPort[]): readonly string[] {
  const byProtocol = Map.groupBy(
    ports.filter(({ port }) => typeof port !== "string"),
    ({ protocol }) => protocol,
  );
  return [...byProtocol]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([protocol, mine]) => {
      if (mine.some(({ port }) => port === undefined)) return `meta l4proto ${protocol}`;
      const ranges = merged(
        mine.map(({ port, endPort }) => [Number(port), Math.max(Number(port), endPort ?? 0)] as const),
      );
      const texts = ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`));
      return `${protocol} dport { ${texts.join(", ")} }`;
    });
}
