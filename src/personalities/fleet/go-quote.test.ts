import assert from "node:assert/strict";
import { test } from "node:test";
import { quote, quoteRune } from "./go-quote.ts";

test("text is quoted as Go does it", () => {
  assert.equal(quote('a "b" \\'), '"a \\"b\\" \\\\"');
  assert.equal(quote("tab\there\x01\x7f"), '"tab\\there\\x01\\x7f"');
  assert.equal(quote("grün 世界 😀"), '"grün 世界 😀"');
  assert.equal(quote("\u00a0\u2028\u{e0001}"), '"\\u00a0\\u2028\\U000e0001"');
});

test("one character is quoted as Go does it", () => {
  assert.equal(quoteRune(" "), "' '");
  assert.equal(quoteRune("'"), "'\\''");
  assert.equal(quoteRune('"'), "'\"'");
  assert.equal(quoteRune("\n"), "'\\n'");
});
