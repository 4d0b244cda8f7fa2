import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AcmeOrders, FirstOrder } from "../acme-orders.ts";
import { countedOrders, firstOrderWaits } from "./first-orders.ts";

const HOUR = 3_600_000;
const NOW = 100 * HOUR;

describe("how many certificates are ordered for hosts that have none:", () => {
  const made = (namespace: string, count: number, ago = HOUR): readonly FirstOrder[] =>
    Array.from({ length: count }, (_, n) => ({ namespace, atMs: NOW - ago + n }));
  const spec = (orders: readonly FirstOrder[], rest?: AcmeOrders["spec"]["rest"]): AcmeOrders["spec"] => ({
    ...{ directory: "d", orders, ...(rest ? { rest } : {}) },
  });
  const wait = (orders: readonly FirstOrder[], namespace: string, hasFailed = false) =>
    firstOrderWaits(spec(orders), NOW)({ namespace, hasFailed });

  test("a namespace has half of what the others have left, and goes on when its oldest order is three hours ago", () => {
    assert.equal(wait(made("a", 99), "a"), undefined);
    assert.equal(wait(made("a", 100), "a")?.untilMs, NOW + 2 * HOUR);
    assert.match(wait(made("a", 100), "a")?.why ?? "", /namespace a has had its share/);
    assert.equal(wait(made("a", 100), "b"), undefined);
    const both = [...made("a", 100), ...made("b", 50, HOUR / 2)];
    assert.equal(wait(both, "b")?.untilMs, NOW + 2 * HOUR + 1, "two of the others' make room for one");
    assert.equal(wait(both, "c"), undefined);
  });

  test("hosts that were refused before have half of that: they keep no new one out", () => {
    assert.equal(wait(made("a", 49), "a", true), undefined);
    assert.equal(wait(made("a", 50), "a", true)?.untilMs, NOW + 2 * HOUR);
    assert.equal(wait(made("a", 50), "a"), undefined);
  });

  test("however many namespaces ask, there are 200 at most in three hours: the rest is for renewals", () => {
    const orders: FirstOrder[] = [];
    for (let n = 0; n < 1_000; n++) {
      const namespace = `n${n % 40}`;
      if (wait(orders, namespace) === undefined) orders.push({ namespace, atMs: NOW });
    }
    assert.ok(orders.length <= 200 && orders.length > 150, `${orders.length}`);
    assert.equal(wait(made("a", 200, 3 * HOUR), "b"), undefined, "they were three hours ago");
  });

  test("nothing counts of a time that is not yet: a clock was wrong", () => {
    assert.deepEqual(countedOrders(made("a", 300, -HOUR), NOW), []);
    const rest = { untilMs: NOW + 400 * HOUR, why: "no" };
    assert.equal(firstOrderWaits(spec([], rest), NOW)({ namespace: "a", hasFailed: false }), undefined);
  });

  test("while the authority takes no more of anybody, all wait, and it is said in its words", () => {
    const rest = { untilMs: NOW + HOUR, why: "too many new orders" };
    const said = firstOrderWaits(spec([], rest), NOW)({ namespace: "a", hasFailed: false });
    assert.equal(said?.untilMs, NOW + HOUR);
    assert.match(said?.why ?? "", /takes no further orders of anybody \(too many new orders\)/);
  });
});
