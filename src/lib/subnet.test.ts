import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { dynamicRangeOf, formatAddress, gatewayOf, overlaps, parseAddress, parseSubnet } from "./subnet.ts";

describe("subnets", () => {
  test("an address survives being written and read", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => parseAddress(formatAddress(value)) === value),
    );
  });

  test("arbitrary text is an address only in its one spelling", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const value = parseAddress(text);
        return value === undefined || formatAddress(value) === text;
      }),
    );
  });

  for (const text of ["10.42.0.1/24", "10.42.0.0/33", "10.42.0/24", "10.42.0.0", "256.0.0.0/8", ""])
    test(`"${text}" is no subnet`, () => assert.equal(parseSubnet(text), undefined));

  test("the engine's part is the last sixteenth", () => {
    assert.equal(dynamicRangeOf("10.42.0.0/24"), "10.42.0.240/28");
    assert.equal(dynamicRangeOf("10.0.0.0/8"), "10.240.0.0/12");
    assert.deepEqual(["10.42.3.0/24", "10.42.3.64/26"].map(gatewayOf), ["10.42.3.1", "10.42.3.65"]);
    assert.throws(() => gatewayOf("10.42.3.1/24"), /no subnet/);
    assert.throws(() => dynamicRangeOf("10.42.0.0/27"), /at least 64 addresses/);
  });

  test("overlap is mutual containment of any address", () => {
    const subnet = (text: string) => parseSubnet(text) ?? assert.fail(text);
    assert.ok(overlaps(subnet("10.0.0.0/8"), subnet("10.42.0.0/24")));
    assert.ok(!overlaps(subnet("10.41.0.0/24"), subnet("10.42.0.0/24")));
  });
});
