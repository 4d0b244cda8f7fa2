import type { NetworkEntryKind, RouteEntry } from "../../model/network.ts";
import { MOST_UNLISTED_NAMED, type UnlistedKind, type UnlistedThings } from "../../model/restoration.ts";
import type { NetworkState } from "./network-state.ts";
import type { NetworkTables } from "./network-tables.ts";

/** What people know by name; names and endpoints are of pods, which are told apart from it. */
const KINDS: readonly (readonly [NetworkEntryKind, UnlistedKind])[] = [
  ["service", "Service"],
  ["policy", "NetworkPolicy"],
  ["route", "route"],
  ["node", "node"],
];
const MOST_NAMED = 5;
const MOST_CHARS = 200;

/** For `styr restore status`. */
export function unlistedThings({ unlisted, tables }: NetworkState): readonly UnlistedThings[] {
  return KINDS.flatMap(([of, kind]) => {
    const ids = idsOf(unlisted, of);
    const all = of === "route" ? ids.flatMap((id) => routeWords(tables.route.get(id)) ?? []).sort() : ids;
    const names = all.slice(0, MOST_UNLISTED_NAMED).map((name) => name.slice(0, MOST_CHARS));
    return all.length === 0 ? [] : [{ kind, count: all.length, names }];
  });
}

function routeWords(route: RouteEntry | undefined): string | undefined {
  return route && `${route.host === "" ? "*" : route.host}${route.path} of ${route.source}`;
}

/** Of policies, for `styr network status`. */
export function unlistedWords(
  unlisted: ReadonlySet<string> | undefined,
  tables?: Pick<NetworkTables, "policy">,
): { readonly words?: string } {
  const policies = idsOf(unlisted ?? new Set(), "policy");
  if (policies.length === 0) return {};
  const isOther = (id: string) => tables?.policy.get(id)?.unlisted?.insteadOf !== undefined;
  const [unknown, others] = [policies.filter((id) => !isOther(id)), policies.filter(isOther)];
  const said = [
    ...(unknown.length === 0 ? [] : [`does not know ${fewOf(unknown)}`]),
    ...(others.length === 0 ? [] : [`has an earlier ${fewOf(others)}`]),
  ].join(", and ");
  return {
    words: `the restored control plane ${said}: in force until styr restore confirm; styr apply what is to stay`,
  };
}

function fewOf(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  return `${names.slice(0, MOST_NAMED).join(", ")}${more}`;
}

function idsOf(unlisted: ReadonlySet<string>, kind: NetworkEntryKind): readonly string[] {
  const prefix = `${kind} `;
  return [...unlisted].flatMap((key) => (key.startsWith(prefix) ? key.slice(prefix.length) : [])).sort();
}
