import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BlockSets } from "./block-sets.ts";
import { blockMatches, isInBlock } from "./ip-block.ts";
import { closed } from "./thing.ts";

const HOSTS = new Map([
  ["192.0.2.1", ["10.42.1.0", "10.42.1.1"]],
  ["192.0.2.2", ["10.42.2.0", "10.42.2.1"]],
]);

/** The matches, with what is in a set in its place. */
function withElements(block: { readonly cidr: string; readonly except: readonly string[] }): readonly string[] {
  const sets = new BlockSets();
  for (const [address, others] of HOSTS) sets.hear(address, [address, others]);
  const things = new Map(sets.use("shop/p", [block]).flatMap((key) => [...sets.things(key)]));
  const shown = (name: string) => {
    const thing = things.get(name);
    return thing?.kind === "set" ? `{ ${thing.elements.join(", ")} }` : `no set ${name}`;
  };
  const matches = blockMatches(block, "ip saddr", sets.setsOf(block));
  return matches.map((match) => match.replaceAll(/@(\S+)/g, (_, name: string) => shown(name)));
}

describe("a range of addresses in which hosts are:", () => {
  const rows: readonly [string, string, readonly string[], readonly string[]][] = [
    [
      "a host, by whichever way it sends",
      "192.0.2.1/32",
      [],
      ["ip saddr 192.0.2.1/32", "ip saddr { 10.42.1.0, 10.42.1.1 }"],
    ],
    ["a range that holds all of it", "0.0.0.0/0", [], [""]],
    [
      "one that excepts a host",
      "0.0.0.0/0",
      ["192.0.2.1/32"],
      ["ip saddr != 192.0.2.1/32 ip saddr != { 10.42.1.0, 10.42.1.1 }"],
    ],
    [
      "one that excepts where it sends from",
      "0.0.0.0/0",
      ["10.42.1.0/24"],
      ["ip saddr != 10.42.1.0/24", "ip saddr { 10.42.1.0, 10.42.1.1 }"],
    ],
    ["pods alone", "10.42.0.0/16", [], ["ip saddr 10.42.0.0/16"]],
    ["somebody else", "203.0.113.0/24", [], ["ip saddr 203.0.113.0/24"]],
  ];
  for (const [name, cidr, except, expected] of rows)
    test(name, () => {
      assert.deepEqual(withElements({ cidr, except }), expected);
      const isIn = (address: string) => isInBlock({ cidr, except }, address, HOSTS);
      const own = isIn("192.0.2.1");
      if (cidr !== "10.42.0.0/16") assert.deepEqual(["10.42.1.0", "10.42.1.1"].map(isIn), [own, own]);
    });

  test("what nft refuses of those that are kept out is not emptied instead: more would pass", () => {
    const sets = new BlockSets();
    sets.hear("n1", ["192.0.2.1", ["10.42.1.0", "10.42.1.1"]]);
    const thingsOf = (except: readonly string[]) =>
      sets.use("shop/p", [{ cidr: "0.0.0.0/0", except }]).flatMap((key) => [...sets.things(key).values()]);
    assert.deepEqual(thingsOf(["192.0.2.1/32"]).map(closed), [undefined]);
    const [others] = thingsOf(["10.42.1.0/24"]).map(closed);
    assert.deepEqual(others?.kind === "set" && others.elements, []);
  });
});
