import { createHash } from "node:crypto";
import type { Chain } from "./ruleset.ts";

/**
 * Stable, and the same on every node, so that two people at two hosts speak of the same chain. 128 bits: whoever may name a Service must
 * not find a name whose chain is another one's.
 */
export function hashOf(...parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("|")).digest("hex").slice(0, 32);
}

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** For iptables, whose chains have 28 characters: ten letters, of which there are 2^59 words. */
export function shortHashOf(...parts: readonly string[]): string {
  let rest = BigInt(`0x${hashOf(...parts)}`);
  let word = "";
  for (; word.length < 10; rest /= 62n) word += LETTERS[Number(rest % 62n)];
  return word;
}

/** Words for a comment of a rule: nothing that ends it, and no longer than nft takes (128 bytes with the mark). */
export function titleOf(id: string): string {
  const plain = id.replaceAll(/[^A-Za-z0-9_.:/@ -]/g, "_");
  return plain.length <= 90 ? plain : `${plain.slice(0, 87)}...`;
}

export function chainOf(title: string, rules: readonly string[], hook?: string): Chain {
  const mark = `${hashOf(...rules)}/${rules.length}`;
  return { title: titleOf(title), rules, mark, ...(hook === undefined ? {} : { hook }) };
}

/** The comment of a chain's first rule, by which the chain is recognised after a restart. */
export function commentOf({ title, mark }: Chain): string {
  return `${title} #${mark.split("/")[0]}`;
}
