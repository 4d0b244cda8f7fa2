import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { renderYaml } from "./listing.ts";
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

  test("YAML stays the same YAML", async () => {
    const text = fc.string({ unit: "binary" });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(text, fc.dictionary(text, text, { noNullPrototype: true }), fc.array(text)),
        async (value) => {
          const yaml = await renderYaml({ value });
          assert.doesNotMatch(yaml, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
          assert.deepEqual(parse(yaml), { value });
        },
      ),
    );
    assert.equal(
      await renderYaml({ a: "\u009b31m", b: "plain", c: "x\ny\n" }),
      'a: "\\x9b31m"\nb: plain\nc: |\n  x\n  y\n',
    );
  });
});
