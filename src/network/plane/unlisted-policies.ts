/**
 * What a node goes on doing while its control plane was restored from a backup and nobody has confirmed that: a policy that was made since
 * is not in the backup, and would open what it closes by that alone. So it stays, with the addresses that it names as they were last told.
 */
import type { NetworkEntry, NetworkEntryKind, PeersEntry, PolicyEntry } from "../../model/network.ts";

export interface PolicyTables {
  readonly policy: ReadonlyMap<string, PolicyEntry>;
  readonly peers: ReadonlyMap<string, PeersEntry>;
}

const POLICY = "policy ";

/** Keys (`kind id`) of what stays although it is not told. `entries`: what is told. */
export function unlistedPolicies(
  tables: PolicyTables,
  entries: readonly NetworkEntry[],
  isTold: (kind: NetworkEntryKind, id: string) => boolean,
): Set<string> {
  const policies = [...tables.policy.values()].filter(({ id }) => !isTold("policy", id));
  if (policies.length === 0) return new Set();
  const there = [...tables.peers.values()];
  const told = [...entries, ...there.filter(({ id }) => isTold("peers", id))];
  // Of a group that others name too, the control plane says who it is.
  const known = new Set(told.flatMap((entry) => (entry.kind === "peers" ? entry.group : [])));
  const groups = new Set(policies.flatMap(groupsOf).filter((group) => !known.has(group)));
  const peers = there.filter(({ group }) => groups.has(group));
  return new Set([...policies, ...peers].map(({ kind, id }) => `${kind} ${id}`));
}

/** Of what stayed: all of it once the control plane is confirmed, else addresses that no policy names any more which it does not know. */
export function leaving(
  { policy, peers }: PolicyTables,
  unlisted: ReadonlySet<string>,
  isHeld: boolean,
): readonly (PolicyEntry | PeersEntry)[] {
  const isUnlisted = ({ kind, id }: PolicyEntry | PeersEntry) => unlisted.has(`${kind} ${id}`);
  const [policies, addresses] = [[...policy.values()].filter(isUnlisted), [...peers.values()].filter(isUnlisted)];
  if (!isHeld) return [...policies, ...addresses];
  const groups = new Set(policies.flatMap(groupsOf));
  return addresses.filter(({ group }) => !groups.has(group));
}

const MOST_NAMED = 5;

export function unlistedWords(unlisted: ReadonlySet<string> | undefined): { readonly words?: string } {
  const policies = [...(unlisted ?? [])].flatMap((key) => (key.startsWith(POLICY) ? key.slice(POLICY.length) : []));
  if (policies.length === 0) return {};
  const more = policies.length > MOST_NAMED ? ` and ${policies.length - MOST_NAMED} more` : "";
  const named = `${policies.sort().slice(0, MOST_NAMED).join(", ")}${more}`;
  return {
    words: `the restored control plane does not know ${named}: in force until styr restore confirm; styr apply what is to stay`,
  };
}

function groupsOf({ ingress = [], egress = [] }: PolicyEntry): readonly string[] {
  return [...ingress, ...egress].flatMap(({ from = [] }) =>
    from.flatMap((peer) => ("peers" in peer ? peer.peers : [])),
  );
}
