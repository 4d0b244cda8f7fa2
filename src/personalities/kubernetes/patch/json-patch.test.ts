import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { applyJsonPatch, parseJsonPatch } from "./json-patch.ts";

const apply = (document: unknown, patch: unknown) => applyJsonPatch(document, parseJsonPatch(patch));

describe("JSON patch", () => {
  const rows: readonly { why: string; document: unknown; patch: readonly object[]; gives: unknown }[] = [
    {
      why: "add to an object",
      document: { a: 1 },
      patch: [{ op: "add", path: "/b", value: 2 }],
      gives: { a: 1, b: 2 },
    },
    { why: "add into a list", document: [1, 3], patch: [{ op: "add", path: "/1", value: 2 }], gives: [1, 2, 3] },
    { why: "append", document: { l: [1] }, patch: [{ op: "add", path: "/l/-", value: 2 }], gives: { l: [1, 2] } },
    { why: "remove", document: { a: [1, 2] }, patch: [{ op: "remove", path: "/a/0" }], gives: { a: [2] } },
    { why: "replace", document: { a: 1 }, patch: [{ op: "replace", path: "/a", value: null }], gives: { a: null } },
    { why: "move", document: { a: 1 }, patch: [{ op: "move", from: "/a", path: "/b" }], gives: { b: 1 } },
    { why: "copy", document: { a: [1] }, patch: [{ op: "copy", from: "/a", path: "/b" }], gives: { a: [1], b: [1] } },
    {
      why: "escapes",
      document: { "a/b": 1, "c~d": 2 },
      patch: [
        { op: "test", path: "/a~1b", value: 1 },
        { op: "remove", path: "/c~0d" },
      ],
      gives: { "a/b": 1 },
    },
  ];
  for (const { why, document, patch, gives } of rows) test(why, () => assert.deepEqual(apply(document, patch), gives));

  for (const [why, document, patch] of [
    ["a missing path", {}, [{ op: "remove", path: "/a" }]],
    ["an index past the end", { l: [] }, [{ op: "add", path: "/l/1", value: 1 }]],
    ["a failed test", { a: 1 }, [{ op: "test", path: "/a", value: 2 }]],
    ["an unknown operation", {}, [{ op: "spoil", path: "/a" }]],
    ["something that is no list", {}, { op: "add" }],
    ["a path without its slash", {}, [{ op: "add", path: "a", value: 1 }]],
  ] as const) {
    test(`${why} is refused`, () => assert.throws(() => apply(document, patch), { name: "ApiError" }));
  }

  test("a chain of copies does not fill the memory", () => {
    const doubling = Array.from({ length: 60 }, (_, n) => ({ op: "copy", from: "", path: `/x${n}` }));
    assert.throws(() => apply({ a: "x".repeat(100) }, doubling), /too large/);
  });

  test("any operations either apply or are refused, and never change the document in place", () => {
    const path = fc
      .array(fc.constantFrom("a", "b", "0", "1", "-", "__proto__"))
      .map((parts) => parts.map((p) => `/${p}`).join(""));
    const operation = fc.record({
      op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test"),
      path,
      from: path,
      value: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(operation, { maxLength: 5 }), (document, patch) => {
        const before = JSON.stringify(document);
        try {
          apply(document, patch);
        } catch (error) {
          assert.equal((error as Error).name, "ApiError");
        }
        assert.equal(JSON.stringify(document), before);
      }),
    );
  });
});
