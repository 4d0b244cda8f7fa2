/**
 * Which addresses a node is believed to have. All hosts send it packets there, make no route that would lead such an address away, and let in
 * what comes from it: so no node is believed an address that is another's, or that is of another's pods.
 */
import { isIP } from "node:net";
import { holds, isHostAddress, parseAddress, parseSubnet, type Subnet } from "../lib/subnet.ts";
import { NETWORK_UNAVAILABLE, type Node, type NodeStatus, nodes } from "../model/node.ts";
import type { Condition } from "../model/pod.ts";
import { rfc3339 } from "../seams/clock.ts";
import { type Reader, sameJson } from "../store/transaction.ts";
import { serviceRange } from "./range-wish.ts";

type Addresses = NodeStatus["addresses"];

export interface SaidAddresses {
  readonly node: string;
  readonly said: Addresses;
  /** It takes part in the cluster's network. */
  readonly takesPart: boolean;
  readonly before: Node | undefined;
}

export interface BelievedAddresses {
  readonly addresses: Addresses;
  /** In words: what is not believed. */
  readonly refused?: string;
}

/** Reason of a node's condition. */
export const ADDRESS_REFUSED = "AddressRefused";

/** Those that it had before stay in the place of those that are refused. */
export function believedOfNode(reader: Reader, place: SaidAddresses): BelievedAddresses {
  // It was judged then; no range is given since that has it.
  if (sameJson(place.before?.status.addresses, place.said)) return { addresses: place.said };
  const others = reader.list(nodes).filter(({ metadata }) => metadata.name !== place.node);
  const services = serviceRange(reader);
  const judged = place.said.map((one) => ({ one, why: whyNot(one, { ...place, others, services }) }));
  const bad = judged.find(({ why }) => why !== undefined);
  if (bad === undefined) return { addresses: place.said };
  const good = judged.flatMap(({ one, why }) => (why === undefined ? [one] : []));
  const kept = (place.before?.status.addresses ?? []).filter(
    (one) => !good.some(({ type }) => type === one.type) && whyNot(one, { ...place, others, services }) === undefined,
  );
  const refused = `${bad.one.address}, which it says is its address, ${bad.why}; its agent, started again, says anew what it is`;
  return { addresses: [...good, ...kept], refused };
}

interface Place extends SaidAddresses {
  readonly others: readonly Node[];
  readonly services: Subnet | undefined;
}

function whyNot({ type, address }: Addresses[number], place: Place): string | undefined {
  if (type === "Hostname") return undefined;
  const { others, services, takesPart } = place;
  if (isIP(address) === 0) return "is none";
  const value = parseAddress(address);
  if (value === undefined) return undefined;
  // Alone, without any network, a host has no other.
  if (takesPart && others.length > 0 && !isHostAddress(address)) return "is no address of one host";
  if (services && holds(services, value)) return `is one of Services' (${services.text})`;
  const owner = others.find(({ spec }) => holds(parseSubnet(spec.podCIDR ?? ""), value));
  if (owner) return `is one of the pods of ${owner.metadata.name} (${owner.spec.podCIDR})`;
  const holder = isMove(place, address) ? others.find((other) => isHeldBy(other, address)) : undefined;
  return holder && `is that of ${holder.metadata.name}`;
}

/** A host that joins under another name than before has an address that is still known. */
function isMove({ before, takesPart }: SaidAddresses, address: string): boolean {
  const had = before?.status.addresses.filter(({ type }) => type === "InternalIP") ?? [];
  return takesPart && had.length > 0 && !had.some((one) => one.address === address);
}

function isHeldBy({ spec, status }: Node, address: string): boolean {
  const isReady = status.conditions.some((one) => one.type === "Ready" && one.status === "True");
  return isReady && spec.podCIDR !== undefined && status.addresses.some((one) => one.address === address);
}

/** Shown where it is shown that a node's pods are not reached. */
export function withRefusedAddress(
  conditions: readonly Condition[],
  refused: string | undefined,
  nowMs: number,
): readonly Condition[] {
  if (refused === undefined) return conditions;
  const [told, others] = [
    conditions.find(({ type }) => type === NETWORK_UNAVAILABLE),
    conditions.filter(({ type }) => type !== NETWORK_UNAVAILABLE),
  ];
  // What keeps pods from starting at all counts for more.
  const isWorse = told?.status === "True";
  const message = isWorse ? `${told.message ?? ""}; ${refused}` : refused;
  const reason = (isWorse ? told.reason : undefined) ?? ADDRESS_REFUSED;
  return [
    ...others,
    { type: NETWORK_UNAVAILABLE, status: "True", reason, message, lastTransitionTime: rfc3339(nowMs) },
  ];
}
