import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { plainJson, plainLines, plainOutput, plainText } from "./plain-text.ts";

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

describe("what a server says:", () => {
  test("no control character reaches the terminal, whatever the text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !CONTROL.test(plainText(text))));
  });

  test("the rest of a text stays as it is", () => {
    assert.equal(plainText("grüße, 世界 ✓"), "grüße, 世界 ✓");
    assert.equal(plainLines("a\n\tb\r\u001b[1m"), "a\n\tb\\x0d\\x1b[1m");
  });

  test("a container's colours stay, its other sequences cannot act", () => {
    assert.equal(
      plainOutput("\u001b[1;31mred\u001b[0m \u001b]0;title\u0007 \u001b[2J"),
      "\u001b[1;31mred\u001b[0m \\x1b]0;title\\x07 \\x1b[2J",
    );
  });

  test("JSON stays the same JSON", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const json = plainJson(JSON.stringify({ text }));
        assert.ok(!CONTROL.test(json));
        assert.deepEqual(JSON.parse(json), { text });
      }),
    );
  });
});
