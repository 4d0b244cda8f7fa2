/** Which addresses a node's pods have: given once, inside the transaction that registers it, so that no two nodes ever share any. */
import { formatAddress, overlaps, parseSubnet, type Subnet } from "../lib/subnet.ts";
import {
  CLUSTER_NETWORK_NAME,
  type ClusterNetworkSpec,
  clusterNetworks,
  networkInForce,
} from "../model/cluster-network.ts";
import { NETWORK_UNAVAILABLE, type Node, nodes, POD_RANGES_EXHAUSTED } from "../model/node.ts";
import type { Condition } from "../model/pod.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { Tx } from "../store/transaction.ts";
import { knownHosts, wishProblem } from "./range-wish.ts";

export interface RangeWish {
  readonly node: string;
  /** What was given to it before. */
  readonly held: string | undefined;
  /** The range that it asks for; "" for any; undefined: it takes no part in the cluster's network. */
  readonly wish: string | undefined;
  /** Of its host. */
  readonly addresses: readonly string[];
}

/** `refused`: the range that it asked for and did not get, and why. */
export type RangeAnswer =
  | { readonly range: string; readonly refused?: string }
  | { readonly problem: string }
  | undefined;

/** Stays as it is unless it asks for another that it may have. Undefined for a node that asks for none. */
export function rangeFor(tx: Tx, { node, held, wish, addresses }: RangeWish): RangeAnswer {
  if (wish === undefined) return undefined;
  if (held !== undefined && (wish === "" || wish === held)) return { range: held };
  const network = networkInForce(tx.get(clusterNetworks, CLUSTER_NETWORK_NAME));
  const others = tx.list(nodes).flatMap((other) => (other.metadata.name === node ? [] : rangeOf(other)));
  const problem = wish === "" ? undefined : wishProblem(tx, wish, { node, addresses, held, network, others });
  if (wish !== "" && problem === undefined) return { range: wish };
  const answer: RangeAnswer = held === undefined ? nextFree(network, others, hostsOf(tx, addresses)) : { range: held };
  return problem !== undefined && answer && "range" in answer
    ? { ...answer, refused: `${wish}, which it asks for, ${problem}` }
    : answer;
}

/** Single addresses of the cluster's hosts: a way to pods must not lead them away. */
function hostsOf(tx: Tx, own: readonly string[]): readonly Subnet[] {
  const all = [...own, ...knownHosts(tx).map(({ address }) => address)];
  return all.flatMap((address) => parseSubnet(`${address}/32`) ?? []);
}

/** The first free part of the cluster's range that has none of its `hosts` in it; in words, how full it is. Pure. */
export function nextFree(
  { clusterRange, nodePrefix }: ClusterNetworkSpec,
  taken: readonly Subnet[],
  hosts: readonly Subnet[] = [],
): RangeAnswer {
  const whole = parseSubnet(clusterRange);
  if (!whole) return { problem: `the cluster range ${clusterRange} is none` };
  const size = 2 ** (32 - nodePrefix);
  const used = [...taken, ...hosts].sort((a, b) => a.first - b.first);
  let first = whole.first;
  for (const one of used) {
    if (one.last < first) continue;
    if (one.first >= first + size) break;
    first = Math.ceil((one.last + 1) / size) * size;
  }
  if (first + size - 1 <= whole.last) return { range: `${formatAddress(first)}/${nodePrefix}` };
  const inside = taken.filter((one) => overlaps(one, whole)).length;
  const parts = 2 ** (nodePrefix - whole.prefixLength);
  return {
    problem:
      `no pod range is left: the cluster range ${clusterRange} has ${parts} of /${nodePrefix}, and ${inside} nodes have them all; ` +
      "forget nodes that are gone (styr forget NODE), or give this one a range elsewhere (--pod-range)",
  };
}

function rangeOf({ spec }: Node): readonly Subnet[] {
  const range = spec.podCIDR === undefined ? undefined : parseSubnet(spec.podCIDR);
  return range ? [range] : [];
}

/** What the node is shown to be. The agent's own word on its network stays where it got a range. */
export function rangeConditions(answer: RangeAnswer, told: readonly Condition[], nowMs: number): readonly Condition[] {
  if (answer === undefined) return told;
  const given = "range" in answer ? answer.range : undefined;
  const others = told.filter(({ type }) => type !== NETWORK_UNAVAILABLE);
  if (given !== undefined && others.length < told.length) return told.map((one) => withRefusal(one, answer));
  return [
    ...others,
    {
      type: NETWORK_UNAVAILABLE,
      status: given === undefined ? "True" : "False",
      reason: given === undefined ? POD_RANGES_EXHAUSTED : "HasPodRange",
      message: "problem" in answer ? answer.problem : `its pods have addresses of ${given}${refusalOf(answer)}`,
      lastTransitionTime: rfc3339(nowMs),
    },
  ];
}

/** The agent does not know why it has another range than it asks for. */
function withRefusal(condition: Condition, answer: NonNullable<RangeAnswer>): Condition {
  if (condition.type !== NETWORK_UNAVAILABLE) return condition;
  return { ...condition, message: `${condition.message ?? ""}${refusalOf(answer)}` };
}

function refusalOf(answer: NonNullable<RangeAnswer>): string {
  return "refused" in answer ? `; ${answer.refused}` : "";
}
