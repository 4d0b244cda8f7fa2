import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatJoinToken, hashSecret, isSecretOf, parseJoinToken } from "./token-text.ts";

const hex = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const tokens = fc.record(
  {
    role: fc.constantFrom("agent" as const, "server" as const),
    id: fc.stringMatching(/^[a-z0-9]{8}$/),
    secret: hex(24).map((bytes) => Buffer.from(bytes).toString("base64url")),
    pin: hex(32).map((bytes) => Buffer.from(bytes).toString("hex")),
  },
  { noNullPrototype: true },
);

describe("the text of a join token", () => {
  test("comes back as it was", () => {
    fc.assert(fc.property(tokens, (token) => assert.deepEqual(parseJoinToken(formatJoinToken(token)), token)));
  });

  test("needs no quoting in a shell, a URL or a YAML file", () => {
    fc.assert(fc.property(tokens, (token) => assert.match(formatJoinToken(token), /^[\w.-]+$/)));
  });

  test("is refused wherever it was cut off, and the refusal does not repeat it", () => {
    fc.assert(
      fc.property(tokens, fc.nat(), (token, at) => {
        const text = formatJoinToken(token);
        const cut = text.slice(0, at % text.length);
        assert.throws(
          () => parseJoinToken(cut),
          (error: Error) => !error.message.includes(token.secret.slice(0, 12)),
        );
      }),
    );
  });

  test("is refused with any one character changed", () => {
    fc.assert(
      fc.property(tokens, fc.nat(), fc.constantFrom("a", "Z", "0", "-", "."), (token, at, other) => {
        const text = formatJoinToken(token);
        const place = at % text.length;
        fc.pre(text[place] !== other);
        assert.throws(() => parseJoinToken(text.slice(0, place) + other + text.slice(place + 1)), /token/);
      }),
    );
  });

  test("may have blanks and a newline around it, as pasted text has", () => {
    fc.assert(fc.property(tokens, (token) => assert.deepEqual(parseJoinToken(` ${formatJoinToken(token)}\n`), token)));
  });

  for (const { text, says } of [
    { text: "", says: /no join token.*styr token create/ },
    { text: "styr-c2VjcmV0", says: /token of a person/ },
    { text: "styr1.agent.abcd2345", says: /cut off/ },
  ]) {
    test(`that is ${JSON.stringify(text)} is refused with words that help`, () => {
      assert.throws(() => parseJoinToken(text), says);
    });
  }
});

test("a secret is known by its hash, and no other is", () => {
  assert.ok(isSecretOf("one", hashSecret("one")));
  assert.ok(!isSecretOf("two", hashSecret("one")));
  assert.ok(!isSecretOf("one", ""));
});
