import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { AddressPool } from "./address-pool.ts";

describe("addresses of pods", () => {
  test("the first two are the network's and the host's, the last sixteenth is the engine's", () => {
    const pool = new AddressPool("10.42.0.0/24");
    assert.equal(pool.assign("a"), "10.42.0.2");
    for (let n = 1; n < pool.capacity; n++) pool.assign(`pod-${n}`);
    assert.equal(pool.capacity, 238);
    assert.throws(() => pool.assign("one too many"), /all 238 addresses of 10\.42\.0\.0\/24 are in use/);
  });

  test("a pod keeps its address, and one that runs already claims its own", () => {
    const pool = new AddressPool("10.42.0.0/24");
    assert.equal(pool.assign("running", "10.42.0.9"), "10.42.0.9");
    assert.equal(pool.assign("running"), "10.42.0.9");
    assert.equal(pool.assign("late", "10.42.0.9"), "10.42.0.2", "taken: the next free one");
    assert.equal(pool.assign("stranger", "192.168.1.1"), "10.42.0.3", "outside: the next free one");
  });

  test("an address that was given back is not given again at once", () => {
    const pool = new AddressPool("10.42.0.0/24");
    pool.assign("a");
    pool.release("a");
    pool.release("a");
    assert.equal(pool.assign("b"), "10.42.0.3");
  });

  test("nor by an agent that found others running: where it begins is chance, as nobody wrote down what was given back", () => {
    const pool = new AddressPool("10.42.0.0/24", { int: (below) => below - 200 });
    for (const last of [2, 3]) pool.assign(`pod-${last}`, `10.42.0.${last}`);
    assert.deepEqual([pool.assign("new"), pool.assign("next")], ["10.42.0.40", "10.42.0.41"]);
    assert.equal(pool.assign("claimed late", "10.42.0.60"), "10.42.0.60");
    assert.equal(pool.assign("after"), "10.42.0.42");
    assert.equal(new AddressPool("10.42.0.0/24", { int: () => 38 }).assign("first"), "10.42.0.2", "of an empty host");
  });

  test("no two pods ever share an address, whatever comes and goes", () => {
    const step = fc.record({ uid: fc.integer({ min: 0, max: 60 }).map(String), goes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const pool = new AddressPool("10.9.0.0/26");
        const held = new Map<string, string>();
        for (const { uid, goes } of steps) {
          if (goes) {
            pool.release(uid);
            held.delete(uid);
          } else if (held.size < pool.capacity || held.has(uid)) held.set(uid, pool.assign(uid));
          assert.equal(new Set(held.values()).size, held.size);
        }
      }),
    );
  });
});
