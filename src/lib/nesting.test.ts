import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { depthOf } from "./nesting.ts";

describe("depth", () => {
  test("is that of the deepest path", () => {
    const slow = (value: unknown): number =>
      typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(slow)) : 0;
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => assert.equal(depthOf(value), slow(value))));
  });

  test("a value that many share is looked at once, a very deep one without recursion, a cycle ends", () => {
    let shared: unknown = "x";
    for (let level = 0; level < 100; level++) shared = [shared, shared, { shared }];
    assert.equal(depthOf(shared), 200);
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    assert.equal(depthOf(deep), 100_000);
    assert.equal(depthOf(new Array(500_000).fill({})), 2);
    const inner: { up?: unknown } = {};
    const outer = { a: 1, list: [inner] };
    inner.up = outer;
    assert.equal(depthOf(outer), Number.POSITIVE_INFINITY);
    const self: unknown[] = [];
    self.push(self);
    assert.equal(depthOf(self), Number.POSITIVE_INFINITY);
  });
});
