/** What a pod that some policy selects asks: each policy in turn, and then nothing passes. Pure. */
import type { PolicyEntry } from "../../model/network.ts";
import type { LocalPod } from "../plane/network-state.ts";
import { type Direction, IN_MAP, OUT_MAP, podChain, policyChain, rulesOf } from "./policy-rules.ts";
import { publishedThings } from "./published-things.ts";
import { commentOf, DROP, isAddress, named, type Thing, type Things } from "./thing.ts";

/** A pod with more policies than this asks them in a chain that it shares. */
const MOST_OWN = 2;

export function podThings(
  pod: LocalPod,
  policies: readonly PolicyEntry[],
  asking: Asking = sharedAsking(),
): ReadonlyMap<string, Thing> {
  const things = new Map<string, Thing>();
  if (!isAddress(pod.address)) return things;
  for (const direction of ["in", "out"] as const) {
    const mine = policies.filter((policy) => rulesOf(policy, direction) !== undefined);
    if (mine.length === 0) continue;
    const [chain, map] = [podChain(direction, pod.uid), direction === "in" ? IN_MAP : OUT_MAP];
    const about = `pod ${pod.namespace}/${pod.name}`;
    // A pod reaches itself through its Service, whatever the policies say.
    const itself = `${direction === "in" ? "ip saddr" : "ip daddr"} ${pod.address} accept`;
    const { rules, together } = asking(direction, mine);
    for (const [each, thing] of together) things.set(each, thing);
    const comment = `${about}, ${direction}`;
    things.set(chain, { kind: "chain", comment, rules: [itself, ...rules, DROP] });
    if (direction === "in") for (const [each, thing] of publishedThings(pod)) things.set(each, thing);
    things.set(`${map} ${pod.address}`, { kind: "element", map, key: pod.address, chain });
  }
  return things;
}

export type Asking = (direction: Direction, policies: readonly PolicyEntry[]) => Asked;

interface Asked {
  /** Of the pod's own chain. */
  readonly rules: readonly string[];
  readonly together: Things;
}

/** Pods with the same policies, of which a namespace may have many, share their list: one more is a line for each, and not all lines of each. */
export function sharedAsking(): Asking {
  const known = new Map<string, Asked>();
  return (direction, policies) => {
    const id = [direction, ...policies.map((policy) => policy.id)].join("\n");
    const asked = known.get(id) ?? askedOf(direction, policies, id);
    known.set(id, asked);
    return asked;
  };
}

function askedOf(direction: Direction, policies: readonly PolicyEntry[], id: string): Asked {
  const jumps = policies.map((policy) => `jump ${policyChain(direction, policy.id)} comment "${commentOf(policy.id)}"`);
  if (jumps.length <= MOST_OWN) return { rules: jumps, together: new Map() };
  const chain = named("s", id);
  const comment = `${policies.length} NetworkPolicies of namespace ${policies[0]?.namespace}, ${direction}`;
  return { rules: [`jump ${chain}`], together: new Map([[chain, { kind: "chain", comment, rules: jumps }]]) };
}
