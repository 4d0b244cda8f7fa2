/**
 * `ipBlock` of a NetworkPolicy. A host that is wrapped (VXLAN, WireGuard), or passes on what came to a node port, sends from an address of its
 * pod range: who means the host means these as well, by whichever way it sends. Pure.
 */
import { formatAddress, gatewayOf, holds, parseAddress, parseSubnet, type Subnet } from "../../lib/subnet.ts";
import type { NodeEntry, PolicyPeer } from "../../model/network.ts";
import { tunnelAddressOf } from "../pod-network/names.ts";

export type Block = Extract<PolicyPeer, { cidr: string }>;

/** A host's own address → the others that it sends from. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

/** The kernel takes 128 expressions in a rule, two for each match. */
const MOST_MATCHES = 8;

/** Undefined: it has none yet. */
export function otherAddressesOf({ podRange }: NodeEntry): readonly string[] | undefined {
  if (podRange === undefined || parseSubnet(podRange) === undefined) return undefined;
  return [tunnelAddressOf(podRange), gatewayOf(podRange)];
}

/** Of hosts that a block means, what it does not hold; of those that it excepts, what it holds. */
export interface BlockHosts {
  readonly also: readonly string[];
  readonly but: readonly string[];
}

/** Names of the sets that have these, where there are any. */
export interface BlockSetNames {
  readonly also?: string;
  readonly but?: string;
}

/** Each is a way for a packet to be of the block; none: no packet is. */
export function blockMatches(block: Block, side: string, sets: BlockSetNames = {}): readonly string[] {
  const range = wholeSubnet(block.cidr);
  if (range === undefined) return [];
  const except = block.except.flatMap((text) => wholeSubnet(text) ?? []);
  const others = sets.also === undefined ? [] : [`${side} @${sets.also}`];
  if (except.includes("0.0.0.0/0")) return others;
  const inside = range === "0.0.0.0/0" ? [] : [`${side} ${range}`];
  const outside = sets.but === undefined ? [] : [`${side} != @${sets.but}`];
  return [[...inside, ...exceptMatches(except, side), ...outside].join(" "), ...others];
}

export function isInBlock(block: Block, address: string, hosts: Hosts): boolean {
  const hostIn = hostReader(block);
  const all = [...hosts].map(([host, others]) => hostIn(host, others));
  if (all.some(({ also }) => also.includes(address))) return true;
  return isWithin(block, address) && !all.some(({ but }) => but.includes(address));
}

/** What one host is to the block. */
export function hostReader({ cidr, except }: Block): (host: string, others: readonly string[]) => BlockHosts {
  const [range, gaps] = [subnetOf(cidr), except.flatMap((text) => subnetOf(text) ?? [])];
  return (host, others) => {
    if (!holds(range, host)) return { also: [], but: [] };
    const isExcepted = gaps.some((gap) => holds(gap, host));
    const held = others.filter((one) => holds(range, one) && !gaps.some((gap) => holds(gap, one)));
    return isExcepted ? { also: [], but: held } : { also: others.filter((one) => !held.includes(one)), but: [] };
  };
}

function isWithin({ cidr, except }: Block, address: string): boolean {
  return holds(subnetOf(cidr), address) && !except.some((text) => holds(subnetOf(text), address));
}

function subnetOf(text: string): Subnet | undefined {
  return parseSubnet(wholeSubnet(text) ?? "");
}

function exceptMatches(except: readonly string[], side: string): readonly string[] {
  if (except.length <= MOST_MATCHES) return except.map((one) => `${side} != ${one}`);
  const ranges = merged(except.flatMap((text) => parseSubnet(text) ?? []).map(({ first, last }) => [first, last]));
  const texts = ranges.map(([first, last]) =>
    first === last ? formatAddress(first) : `${formatAddress(first)}-${formatAddress(last)}`,
  );
  return [`${side} != { ${texts.join(", ")} }`];
}

/** Without the bits behind its prefix, which Kubernetes lets stand. */
export function wholeSubnet(text: string): string | undefined {
  const [address = "", length = ""] = text.split("/");
  const value = parseAddress(address);
  const bits = Number(length);
  if (value === undefined || !/^\d{1,2}$/.test(length) || bits > 32) return undefined;
  const size = 2 ** (32 - bits);
  return parseSubnet(`${formatAddress(value - (value % size))}/${bits}`)?.text;
}

/** nft refuses ranges that overlap. */
export function merged(ranges: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  const out: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const before = out.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else out.push([first, last]);
  }
  return out;
}
