/** A group's pods of one node as nodes are told them. Pure. */
import type { PeersEntry } from "../model/network.ts";
import type { Member } from "./peer-kinds.ts";

/** `names`: of ports that some policy asks of the group. */
export function peersEntry(
  group: string,
  node: string,
  members: readonly Member[],
  names: ReadonlySet<string>,
): PeersEntry {
  const named = names.size === 0 ? undefined : namedOf(members, names);
  return {
    ...{ kind: "peers", id: peersEntryId(group, node), group },
    addresses: [...new Set(members.flatMap(({ addresses }) => addresses))].sort(),
    ...(named ? { named } : {}),
  };
}

export function peersEntryId(group: string, node: string): string {
  return `${group} on ${node}`;
}

function namedOf(all: readonly Member[], names: ReadonlySet<string>): PeersEntry["named"] {
  const members = all.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const named = [...names].sort().flatMap((name) => {
    const ports = members.flatMap(({ addresses, ports }) =>
      Object.hasOwn(ports, name) ? addresses.map((address) => [address, ports[name] ?? 0] as const) : [],
    );
    return ports.length === 0 ? [] : [[name, Object.fromEntries(ports)] as const];
  });
  return named.length === 0 ? undefined : Object.fromEntries(named);
}
