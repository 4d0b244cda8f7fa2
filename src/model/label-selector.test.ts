import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { matchesLabels, matchesRequirements, matchesSelector, parseLabelSelector } from "./label-selector.ts";

const picks = (selector: string, labels: Record<string, string>) =>
  matchesRequirements(parseLabelSelector(selector), labels);

describe("label selectors", () => {
  for (const [selector, labels, expected] of [
    ["", {}, true],
    ["a=1", { a: "1" }, true],
    ["a=1", { a: "2" }, false],
    ["a==1,b", { a: "1" }, false],
    ["a!=1", {}, true],
    ["a in (1, 2)", { a: "2" }, true],
    ["a in (1, 2)", {}, false],
    ["a notin (1,2)", {}, true],
    ["a notin (1,2)", { a: "1" }, false],
    ["!a", {}, true],
    ["! a", { a: "" }, false],
    ["a=", { a: "" }, true],
    ["example.com/a.b-c in (x),z", { "example.com/a.b-c": "x", z: "" }, true],
    ["n>3", { n: "10" }, true],
    ["n<3", { n: "10" }, false],
    ["n>3", { n: "many" }, false],
  ] as const) {
    test(`${selector || "(empty)"} of ${JSON.stringify(labels)} is ${expected}`, () => {
      assert.equal(picks(selector, labels), expected);
    });
  }

  for (const text of ["a b", "=1", "a in 1", "a in (1", "a=(1)", "a,,b", "a=b=c", "a==!", "-a"]) {
    test(`${text} is refused`, () =>
      assert.throws(() => parseLabelSelector(text), { name: "ApiError", reason: "BadRequest" }));
  }

  test("any text is a selector or a refusal", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[ab=!,() in-]*$/)), (text) => {
        try {
          matchesRequirements(parseLabelSelector(text), { a: "b" });
        } catch (error) {
          assert.equal((error as Error).name, "ApiError");
        }
      }),
    );
  });

  test("a long text is looked at in linear time", () => {
    assert.throws(() => parseLabelSelector(`${"a-".repeat(2000)}!`), /unable to parse/);
    assert.throws(() => parseLabelSelector(`a${".".repeat(100_000)}`), /unable to parse/);
  });

  test("In and NotIn are each other's opposite, Exists and DoesNotExist as well", () => {
    const labels = fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("1", "2", "3"));
    const values = fc.uniqueArray(fc.constantFrom("1", "2", "3"));
    fc.assert(
      fc.property(labels, values, (given, wanted) => {
        const one = (operator: "In" | "NotIn" | "Exists" | "DoesNotExist") =>
          matchesSelector({ matchExpressions: [{ key: "a", operator, values: wanted }] }, given);
        assert.notEqual(one("In"), one("NotIn"));
        assert.notEqual(one("Exists"), one("DoesNotExist"));
      }),
    );
  });

  test("a label inherited from Object is no label", () => {
    assert.equal(matchesLabels({ constructor: "x" }, {}), false);
    assert.equal(picks("toString", {}), false);
  });
});
