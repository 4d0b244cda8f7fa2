import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { refusedAmong } from "./refused.ts";

describe("what nft refuses, found half by half", () => {
  test("is all of it and nothing else, whatever else there is", async () => {
    const names = Array.from({ length: 40 }, (_, at) => `n${at}`);
    await fc.assert(
      fc.asyncProperty(fc.subarray(names, { maxLength: 10 }), async (bad) => {
        const why = (open: ReadonlySet<string>) =>
          Promise.resolve(bad.some((name) => open.has(name)) ? "Error" : undefined);
        assert.deepEqual([...(await refusedAmong(names, why)).keys()].sort(), [...bad].sort());
      }),
    );
  });

  test("is none of it, when nft refuses it closed as well", async () => {
    assert.equal((await refusedAmong(["a", "b"], () => Promise.resolve("no permission"))).size, 0);
  });
});
