/** What the kernel is to have for NetworkPolicies, as data: sets, chains and elements of maps, by name. */
import { createHash } from "node:crypto";
import { parseAddress } from "../../lib/subnet.ts";

export type Thing =
  | SetThing
  | { readonly kind: "chain"; readonly comment: string; readonly rules: readonly string[]; readonly hook?: string }
  | { readonly kind: "map"; readonly type: MapType; readonly comment: string }
  /** Of a map of verdicts: packets of this address, or to this port, go on in this chain. */
  | { readonly kind: "element"; readonly map: string; readonly key: string; readonly chain: string };

export interface SetThing {
  readonly kind: "set";
  readonly type: SetType;
  readonly comment: string;
  readonly elements: readonly string[];
  /** Who is in it does not pass: without its elements more would. */
  readonly keepsOut?: true;
}

export type ElementThing = Extract<Thing, { kind: "element" }>;

/** What verdicts are looked up by. */
export type MapType = "ipv4_addr" | "inet_proto . inet_service" | "inet_proto . ipv4_addr . inet_service";

export type SetType = "ipv4_addr" | "ipv4_addr . inet_service";

export type Things = ReadonlyMap<string, Thing>;

/** Names of ours in the table begin with it. */
export const PREFIX = "pol-";

/** The same for the same id on every node, at every time; what it stands for is in the comment. 128 bits: nobody finds another one's name. */
export function named(what: string, id: string): string {
  return `${PREFIX}${what}-${createHash("sha256").update(id).digest("hex").slice(0, 32)}`;
}

/** For people who read the table. nft takes 128 bytes. */
export function commentOf(text: string): string {
  return text.replaceAll(/[^\w ./:=,()[\]!-]/g, "_").slice(0, 120);
}

/** Ends the chain of a pod: what no policy has let pass. */
export const DROP = "counter drop";

/** What stands in for a thing that nft refuses: by it nothing passes. Undefined: nothing can, and pods have to wait for the thing itself. */
export function closed(thing: Thing): Thing | undefined {
  if (thing.kind === "set") return thing.keepsOut ? undefined : { ...thing, elements: [] };
  if (thing.kind !== "chain" || thing.hook !== undefined) return undefined;
  return { ...thing, rules: thing.rules.at(-1) === DROP ? [DROP] : [] };
}

export function picked(names: Iterable<string>, find: (name: string) => Thing | undefined): Map<string, Thing> {
  const found = new Map<string, Thing>();
  for (const name of names) {
    const thing = find(name);
    if (thing) found.set(name, thing);
  }
  return found;
}

export function isSameThing(one: Thing | undefined, other: Thing | undefined): boolean {
  if (one?.kind === "set" && other?.kind === "set") {
    const [{ elements: these, ...rest }, { elements: those, ...others }] = [one, other];
    return isSameList(these, those) && JSON.stringify(rest) === JSON.stringify(others);
  }
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Lists of a thousand elements that are one and the same, or are as they were. */
function isSameList(these: readonly string[], those: readonly string[]): boolean {
  return these === those || (these.length === those.length && these.every((text, at) => text === those[at]));
}

/** Whoever reported it: a word that is no address would be looked up as a name, by root, on every node. */
export function isAddress(text: string): boolean {
  return parseAddress(text) !== undefined;
}

export function isPort(value: number | undefined): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;
}
