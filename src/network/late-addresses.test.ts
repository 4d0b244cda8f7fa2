import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LateAddresses } from "./late-addresses.ts";

describe("addresses of pods before the node has a range", () => {
  test("a pod that comes before waits with words, and gets one once there is a range", () => {
    const addresses = new LateAddresses();
    assert.throws(() => addresses.assign("a"), /^RangeError: this node has been given no pod range yet$/);
    addresses.setProblem(
      "no pod range is left: the cluster range 10.42.0.0/24 has 1 of /24, and 1 nodes have them all",
    );
    assert.throws(() => addresses.assign("a"), /no pod range is left/);
    addresses.setRange("10.42.7.0/24");
    assert.equal(addresses.assign("a"), "10.42.7.2");
  });

  test("what runs keeps its address, and nobody else gets it", () => {
    const addresses = new LateAddresses();
    assert.equal(addresses.assign("runs", "10.42.7.2"), "10.42.7.2");
    addresses.setRange("10.42.7.0/24");
    assert.equal(addresses.assign("runs", "10.42.7.2"), "10.42.7.2");
    assert.equal(addresses.assign("new"), "10.42.7.3");
    addresses.release("runs");
    addresses.release("new");
    assert.ok(addresses.isFree);
  });

  test("an address of a range that was another's before is not taken into the new one", () => {
    const addresses = new LateAddresses();
    addresses.assign("old", "10.9.0.2");
    addresses.setRange("10.42.7.0/24");
    assert.equal(addresses.assign("old", "10.9.0.2"), "10.9.0.2", "as long as it runs");
    assert.match(addresses.assign("new", "10.9.0.2"), /^10\.42\.7\./);
  });
});
