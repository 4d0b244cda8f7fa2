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

  test("is closed with its neighbours when there is too much of it, and what is far from it stays open", async () => {
    const names = Array.from({ length: 4096 }, (_, at) => `n${at}`);
    const bad = new Set(names.slice(1024, 3072));
    let looks = 0;
    const refused = await refusedAmong(names, (open) => {
      looks++;
      return Promise.resolve([...open].some((name) => bad.has(name)) ? "Error" : undefined);
    });
    assert.deepEqual([...refused.keys()].sort(), [...bad].sort());
    const scattered = new Set(names.filter((_, at) => at % 4 === 0));
    const closed = await refusedAmong(names, (open) =>
      Promise.resolve([...open].some((name) => scattered.has(name)) ? "Error" : undefined),
    );
    assert.ok([...scattered].every((name) => closed.has(name)));
    assert.ok(looks < 1000, `${looks} looks`);
  });

  test("is none of it, when nft refuses it closed as well", async () => {
    assert.equal((await refusedAmong(["a", "b"], () => Promise.resolve("no permission"))).size, 0);
  });
});
