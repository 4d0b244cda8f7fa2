import assert from "node:assert/strict";
import { test } from "node:test";
import { globMatches } from "./glob.ts";

/** From Go's path/match_test.go, as far as unit names can meet it. */
const CASES: readonly (readonly [string, string, boolean])[] = [
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*c", "abc", true],
  ["a*", "abc", true],
  ["a*", "ab/c", false],
  ["a*b*c*d*e*", "axbxcxdxe", true],
  ["a*b*c*d*e*f", "axbxcxdxexxxfff", true],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["a?b", "a☺b", true],
  ["a[^a]b", "a☺b", true],
  ["[a-ζ]*", "α", true],
  ["*[a-ζ]", "A", false],
  ["a?b", "a/b", false],
  ["[\\]a]", "]", true],
  ["[\\-]", "-", true],
  ["[x\\-]", "z", false],
  ["[]a]", "]", false],
  ["[-]", "-", false],
  ["[x-]", "x", false],
  ["[-x]", "x", false],
  ["\\", "a", false],
  ["[a-b-c]", "a", false],
  ["[", "a", false],
  ["[^", "a", false],
  ["a[", "ab", false],
  ["*x", "xxx", true],
  ["conflict.*", "conflict.0.service", true],
];

for (const [glob, text, wanted] of CASES)
  test(`${JSON.stringify(glob)} ${wanted ? "matches" : "does not match"} ${JSON.stringify(text)}`, () =>
    assert.equal(globMatches(glob, text), wanted));

test("a pattern of many stars takes no longer than its length times the name's", () => {
  assert.equal(globMatches("*a".repeat(2000), "a".repeat(1999)), false);
});
