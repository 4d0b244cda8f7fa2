import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  absoluteId,
  climbsAboveRoot,
  groupsAbove,
  isPathId,
  nameOfId,
  newTaskId,
  PATH_ID_PATTERN,
  parseTaskId,
} from "./ids.ts";

describe("marathon ids", () => {
  test("are the same ones that the original's regular expression takes", () => {
    const pattern = new RegExp(PATH_ID_PATTERN);
    // Short words: on long ones the original's expression takes exponential time, which is why it is not used.
    const word = fc.array(fc.constantFrom("a", "z", "0", "-", ".", "/", "_", "A", " ", "\n"), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(fc.property(word, (characters) => isPathId(characters.join("")) === pattern.test(characters.join(""))));
  });

  test("are decided in linear time", () => {
    const started = performance.now();
    assert.equal(isPathId(`${"a-".repeat(100_000)}!`), false);
    assert.ok(performance.now() - started < 1000, "a long id must not hold up the server");
  });

  for (const [given, base, wanted] of [
    ["basic-0", "/", "/basic-0"],
    ["/shop//cart/", "/", "/shop/cart"],
    ["../db", "/shop", "/db"],
    ["../../../etc", "/shop", "/etc"],
    ["cart", "/shop", "/shop/cart"],
    ["", "/", "/"],
  ] as const) {
    test(`${JSON.stringify(given)} within ${base} is ${wanted}`, () => assert.equal(absoluteId(given, base), wanted));
  }

  for (const [given, base, climbs] of [
    ["../db", "/shop", false],
    ["../db", "/", true],
    ["/../db", "/shop", true],
    ["a/../../db", "/shop", false],
    ["a/../../../db/x", "/shop", true],
    ["./db", "/", false],
  ] as const) {
    test(`${given} within ${base} ${climbs ? "leads above the root" : "names something"}`, () =>
      assert.equal(climbsAboveRoot(given, base), climbs));
  }

  test("come back out of task ids, whole or without their last parts", () => {
    const taskId = newTaskId("/shop/cart", "0b0c");
    assert.equal(taskId, "shop_cart.instance-0b0c._app.1");
    assert.deepEqual(parseTaskId(taskId), { appName: nameOfId("/shop/cart"), instanceId: "shop_cart.instance-0b0c" });
    assert.deepEqual(parseTaskId("shop_cart.instance-0b0c"), parseTaskId(taskId));
    assert.equal(parseTaskId("shop_cart.0b0c"), undefined);
  });

  test("name every group above them", () => assert.deepEqual(groupsAbove("/a/b/c"), ["/", "/a", "/a/b"]));
});
