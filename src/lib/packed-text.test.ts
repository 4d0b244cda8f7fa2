import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packText, packTextNow, unpackText } from "./packed-text.ts";

test("a text comes out as it went in", async () => {
  const text = fc.string({ unit: "binary", maxLength: 2_000 });
  fc.assert(
    fc.property(text, (each) => assert.equal(unpackText(packTextNow(each), 100_000), each.toWellFormed())),
    { numRuns: 50 },
  );
  assert.equal(unpackText(await packText("the same beside the loop"), 100), "the same beside the loop");
});

test("no more comes out than was said, however small it looks", () => {
  const bomb = packTextNow(" ".repeat(100_000_000));
  assert.ok(bomb.length < 20_000);
  const before = process.memoryUsage().arrayBuffers;
  assert.throws(() => unpackText(bomb, 1_000_000), RangeError);
  assert.ok(process.memoryUsage().arrayBuffers - before < 50_000_000);
});

test("what is none of ours is an error", () => {
  for (const wrong of ["", "AAAA", "no base64", packTextNow("half of it").slice(0, 12)])
    assert.throws(() => unpackText(wrong, 1_000), Error, wrong);
});
