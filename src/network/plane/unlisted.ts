/**
 * What stays on a node while its control plane was restored from a backup and nobody has confirmed that: what was made since is not in the
 * backup, and would be taken from those who use it, or be opened where a policy closes it, by that alone. So it stays as it was told last.
 * It bears a mark, also on the disk, so that what the restored control plane had and somebody took away since is not taken for it later.
 */
import type {
  ClusterEntry,
  EndpointsEntry,
  NetworkEntry,
  NetworkEntryKind,
  PeersEntry,
  PolicyEntry,
} from "../../model/network.ts";
import type { NetworkTables } from "./network-tables.ts";
import { Told } from "./told.ts";

export interface Everything {
  readonly entries: readonly NetworkEntry[];
  /** Shelves that are as they were (model/network-shelves.ts). */
  readonly kept?: ReadonlySet<number>;
}

/** What is told now, and what stays beside it or in its place. */
export function withUnlisted(tables: NetworkTables, { entries, kept }: Everything): readonly NetworkEntry[] {
  const before = tables.cluster.get("cluster");
  const cluster = entries.find((entry) => entry.kind === "cluster") ?? (kept === undefined ? undefined : before);
  if (cluster?.isRestored === undefined) return entries;
  const had = isOf(before, cluster) ? allOf(tables).filter(({ unlisted }) => unlisted) : allOf(tables).map(fresh);
  const told = new Told(tables, entries, kept);
  const others = had.flatMap((entry) => staying(entry, told) ?? []);
  const stay = [...others, ...namedPeers(others, had, told)];
  const replaced = new Set(stay.map(keyOf));
  return [...entries.filter((entry) => !replaced.has(keyOf(entry))), ...stay];
}

/** What becomes of that when this is told: entries as they are then, and those that are gone. */
export function settleUnlisted(
  tables: NetworkTables,
  keys: ReadonlySet<string>,
  entries: readonly NetworkEntry[],
): { readonly put: readonly NetworkEntry[]; readonly gone: readonly NetworkEntry[] } {
  const all = [...keys].flatMap((key) => entryOf(tables, key) ?? []);
  if (tables.cluster.get("cluster")?.isRestored === undefined) {
    const put = all.flatMap(({ unlisted }) => unlisted?.insteadOf ?? []);
    return { put, gone: all.filter(({ unlisted }) => unlisted?.insteadOf === undefined) };
  }
  const told = new Told(tables, entries, undefined);
  const others = all.flatMap((entry) => (entry.unlisted?.insteadOf ? entry : (staying(entry, told) ?? [])));
  const stay = new Map([...others, ...namedPeers(others, all, told)].map((entry) => [keyOf(entry), entry]));
  const put = [...stay.values()].filter((entry) => entry !== entryOf(tables, keyOf(entry)));
  return { put, gone: all.filter((entry) => !stay.has(keyOf(entry))) };
}

/** Held for the same restoration: what bears no mark was told since. */
function isOf(before: ClusterEntry | undefined, cluster: ClusterEntry): boolean {
  return before?.isRestored === true && before.restoration === cluster.restoration;
}

function fresh(entry: NetworkEntry): NetworkEntry {
  const { unlisted: _earlier, ...rest } = entry;
  return rest as NetworkEntry;
}

/** As it stays, with its mark; undefined: it does not. Addresses that policies name: see `namedPeers`. */
function staying(entry: NetworkEntry, told: Told): NetworkEntry | undefined {
  switch (entry.kind) {
    case "cluster":
    case "challenge":
    case "peers":
      return undefined;
    case "policy":
      return stayingPolicy(entry, told);
    case "endpoints":
      return stayingEndpoints(entry, told);
    default:
      return told.has(entry) || told.clashes(entry) ? undefined : marked(entry);
  }
}

/** One that was changed since the backup stays as it was changed, until somebody changes it again. */
function stayingPolicy(entry: PolicyEntry & NetworkEntry, told: Told): NetworkEntry | undefined {
  const now = told.get(entry) as PolicyEntry | undefined;
  if (now === undefined) return told.has(entry) ? undefined : marked(entry);
  const { unlisted } = entry;
  const known = unlisted === undefined ? fresh(entry) : unlisted.insteadOf;
  const isSame = JSON.stringify(known) === JSON.stringify(now);
  if (unlisted !== undefined) return isSame ? entry : undefined;
  return isSame ? undefined : { ...entry, unlisted: { insteadOf: now } };
}

/** Those of pods that are not told. Of a Service that is, they take new connections while no other can. */
function stayingEndpoints(entry: EndpointsEntry & NetworkEntry, told: Told): NetworkEntry | undefined {
  const rest = entry.endpoints.filter((endpoint) => !told.leadsTo(entry.service, endpoint));
  if (rest.length === 0) return undefined;
  const isAsItWas = rest.length === entry.endpoints.length && !told.has(entry);
  if (entry.unlisted !== undefined && isAsItWas) return entry;
  const isKnown = entry.unlisted === undefined && told.has({ kind: "service", id: entry.service });
  const endpoints = rest.map((one) =>
    isKnown && one.state === "ready" ? { ...one, state: "draining" as const } : one,
  );
  return marked({ ...entry, id: told.has(entry) ? `${entry.id} (unlisted)` : entry.id, endpoints });
}

/** Of a group that the control plane names too, it says itself who is of it. */
function namedPeers(stay: readonly NetworkEntry[], had: readonly NetworkEntry[], told: Told): readonly NetworkEntry[] {
  const groups = new Set(stay.flatMap((entry) => (entry.kind === "policy" ? groupsOf(entry) : [])));
  const peers = had.filter((entry): entry is PeersEntry => entry.kind === "peers");
  return peers.filter(({ group }) => groups.has(group) && !told.knowsGroup(group)).map(marked);
}

function groupsOf({ ingress = [], egress = [] }: PolicyEntry): readonly string[] {
  return [...ingress, ...egress].flatMap(({ from = [] }) =>
    from.flatMap((peer) => ("peers" in peer ? peer.peers : [])),
  );
}

function marked(entry: NetworkEntry): NetworkEntry {
  return entry.unlisted === undefined ? { ...entry, unlisted: {} } : entry;
}

function allOf(tables: NetworkTables): readonly NetworkEntry[] {
  return Object.values(tables).flatMap((table: ReadonlyMap<string, NetworkEntry>) => [...table.values()]);
}

function entryOf(tables: NetworkTables, key: string): NetworkEntry | undefined {
  const at = key.indexOf(" ");
  return tables[key.slice(0, at) as NetworkEntryKind].get(key.slice(at + 1));
}

function keyOf({ kind, id }: NetworkEntry): string {
  return `${kind} ${id}`;
}
