/** Which addresses a node's pods have: given once, inside the transaction that registers it, so that no two nodes ever share any. */
import { formatAddress, overlaps, parseSubnet, type Subnet } from "../lib/subnet.ts";
import {
  CLUSTER_NETWORK_NAME,
  type ClusterNetworkSpec,
  clusterNetworks,
  networkInForce,
} from "../model/cluster-network.ts";
import { type Node, nodes } from "../model/node.ts";
import type { Condition } from "../model/pod.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { Tx } from "../store/transaction.ts";

/** Condition of a node whose pods no other node reaches: Kubernetes' word. */
export const NETWORK_UNAVAILABLE = "NetworkUnavailable";

export interface RangeWish {
  readonly node: string;
  /** What was given to it before. */
  readonly held: string | undefined;
  /** The range that it asks for; "" for any; undefined: it takes no part in the cluster's network. */
  readonly wish: string | undefined;
}

export type RangeAnswer = { readonly range: string } | { readonly problem: string } | undefined;

/** Stays as it is unless it asks for another that is free. Undefined for a node that asks for none. */
export function rangeFor(tx: Tx, { node, held, wish }: RangeWish): RangeAnswer {
  if (wish === undefined) return undefined;
  if (held !== undefined && (wish === "" || wish === held)) return { range: held };
  const network = networkInForce(tx.get(clusterNetworks, CLUSTER_NETWORK_NAME));
  const others = tx.list(nodes).flatMap((other) => (other.metadata.name === node ? [] : rangeOf(other)));
  if (wish !== "" && mayHave(wish, network, others)) return { range: wish };
  return held === undefined ? nextFree(network, others) : { range: held };
}

/** The first free part of the cluster's range; in words, how full it is. Pure. */
export function nextFree({ clusterRange, nodePrefix }: ClusterNetworkSpec, taken: readonly Subnet[]): RangeAnswer {
  const whole = parseSubnet(clusterRange);
  if (!whole) return { problem: `the cluster range ${clusterRange} is none` };
  const size = 2 ** (32 - nodePrefix);
  const used = taken.toSorted((a, b) => a.first - b.first);
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

function mayHave(wish: string, { serviceRange }: ClusterNetworkSpec, others: readonly Subnet[]): boolean {
  const [range, services] = [parseSubnet(wish), parseSubnet(serviceRange)];
  return range !== undefined && ![...others, ...(services ? [services] : [])].some((other) => overlaps(range, other));
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
  if (given !== undefined && others.length < told.length) return told;
  return [
    ...others,
    {
      type: NETWORK_UNAVAILABLE,
      status: given === undefined ? "True" : "False",
      reason: given === undefined ? "PodRangesExhausted" : "HasPodRange",
      message: "problem" in answer ? answer.problem : `its pods have addresses of ${given}`,
      lastTransitionTime: rfc3339(nowMs),
    },
  ];
}
