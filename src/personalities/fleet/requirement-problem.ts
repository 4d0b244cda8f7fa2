import type { UnitOption } from "../../model/pod.ts";
import { globMatches } from "./glob.ts";
import { quote } from "./go-quote.ts";
import { type Requirements, readRequirements } from "./requirements.ts";

/** Combinations of [X-Fleet] that no machine could satisfy, in fleet's words; the first wins. Specifiers stay as they are. */
export function requirementProblem(options: readonly UnitOption[]): string | undefined {
  const requirements = readRequirements(options, undefined);
  return unresolvablePeer(requirements) ?? forbiddenPair(requirements);
}

function unresolvablePeer({ peers, conflicts, replaces }: Requirements): string | undefined {
  for (const peer of peers) {
    const conflict = conflicts.find((glob) => globMatches(glob, peer));
    if (conflict !== undefined)
      return `unresolvable requirements: peer ${quote(peer)} matches conflict ${quote(conflict)}`;
    const replace = replaces.find((glob) => globMatches(glob, peer));
    if (replace !== undefined)
      return `unresolvable requirements: peer ${quote(peer)} matches replace ${quote(replace)}`;
  }
  return undefined;
}

function forbiddenPair({ machineId, peers, conflicts, replaces, isGlobal }: Requirements): string | undefined {
  const has = {
    MachineID: machineId !== undefined && machineId !== "",
    Peers: peers.length > 0,
    Conflicts: conflicts.length > 0,
    Global: isGlobal,
    Replaces: replaces.length > 0,
  };
  const pair = FORBIDDEN.find(([one, other]) => has[one] && has[other]);
  return pair && `${pair[0]} cannot be used with ${pair[1]}`;
}

/** In the order in which fleet looks. */
const FORBIDDEN = [
  ["MachineID", "Peers"],
  ["MachineID", "Conflicts"],
  ["MachineID", "Global"],
  ["MachineID", "Replaces"],
  ["Global", "Peers"],
  ["Global", "Replaces"],
  ["Conflicts", "Replaces"],
] as const;
