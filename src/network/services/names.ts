import { createHash } from "node:crypto";
import type { Chain } from "./ruleset.ts";

/** Stable, and the same on every node, so that two people at two hosts speak of the same chain. */
export function hashOf(...parts: readonly string[]): string {
  return createHash("sha1").update(parts.join("|")).digest("hex").slice(0, 10);
}

/** Words for a comment of a rule: nothing that ends it, and no longer than nft takes (128 bytes with the mark). */
export function titleOf(id: string): string {
  const plain = id.replaceAll(/[^A-Za-z0-9_.:/@ -]/g, "_");
  return plain.length <= 100 ? plain : `${plain.slice(0, 97)}...`;
}

export function chainOf(title: string, rules: readonly string[], hook?: string): Chain {
  const mark = `${hashOf(...rules)}/${rules.length}`;
  return { title: titleOf(title), rules, mark, ...(hook === undefined ? {} : { hook }) };
}

/** The comment of a chain's first rule, by which the chain is recognised after a restart. */
export function commentOf({ title, mark }: Chain): string {
  return `${title} #${mark.split("/")[0]}`;
}
