import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nextOrders, takeTurn, type Wanted } from "./turns.ts";

const wanted = (host: string, namespace: string, more: Partial<Wanted> = {}): Wanted => ({
  ...{ host, namespace, isRenewal: false, failures: 0, atMs: 0, ...more },
});
const many = (namespace: string, count: number, more: Partial<Wanted> = {}) =>
  Array.from({ length: count }, (_, n) => wanted(`${namespace}${n}`, namespace, more));
const hosts = (list: readonly Wanted[]) => list.map(({ host }) => host);

describe("whose certificate is ordered next:", () => {
  test("one namespace may have all four places while nobody else waits", () =>
    assert.deepEqual(hosts(nextOrders(many("a", 9), [], new Map())), ["a0", "a1", "a2", "a3"]));

  test("of several each has one before any has two", () => {
    const due = [...many("a", 9), ...many("b", 2), ...many("c", 1)];
    assert.deepEqual(hosts(nextOrders(due, [], new Map())), ["a0", "b0", "c0", "a1"]);
    assert.deepEqual(hosts(nextOrders(due, many("a", 3), new Map())), ["b0"]);
  });

  test("with as many under way, who was served the longest ago", () => {
    const turns = new Map<string, number>();
    for (const namespace of ["c", "b", "a"]) takeTurn(turns, namespace);
    const due = ["a", "b", "c", "d"].flatMap((namespace) => many(namespace, 1));
    assert.deepEqual(hosts(nextOrders(due, many("x", 2), turns)), ["d0", "c0"]);
  });

  test("a renewal waits for no first order: there are two places more for renewals", () => {
    const renewals = many("bank", 3, { isRenewal: true, atMs: 5 });
    const due = [...many("a", 9), ...renewals];
    assert.deepEqual(hosts(nextOrders(due, many("x", 4), new Map())), ["bank0", "bank1"]);
    assert.deepEqual(hosts(nextOrders(due, [], new Map())).slice(0, 2), ["bank0", "a0"]);
    assert.deepEqual(nextOrders(due, many("x", 6), new Map()), []);
  });

  test("renewals of one namespace, however many, hold up no first order of another", () => {
    const due = [...many("a", 90, { isRenewal: true, atMs: 1 }), wanted("b0", "b")];
    assert.ok(hosts(nextOrders(due, many("a", 3, { isRenewal: true }), new Map())).includes("b0"));
  });

  test("of one namespace who never failed, then who has waited longest", () => {
    const due = [wanted("x", "a", { failures: 1 }), wanted("y", "a", { atMs: 9 }), wanted("z", "a", { atMs: 3 })];
    assert.deepEqual(hosts(nextOrders(due, [], new Map())), ["z", "y", "x"]);
  });

  test("of very many namespaces the turns of those are forgotten who come next by that", () => {
    const turns = new Map<string, number>();
    for (let n = 0; n < 1_500; n++) takeTurn(turns, `n${n}`);
    takeTurn(turns, "n900");
    assert.deepEqual([turns.size, turns.has("n0"), turns.get("n900")], [1_000, false, 1_501]);
  });
});
