import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestsOf, digestsText, SHELVES, shelfDigest, shelfOf, shelvesOf, shelvesText } from "./network-shelves.ts";

test("entries are spread over all shelves, and each always lies on its own", () => {
  const counts = new Map<number, number>();
  for (let at = 0; at < 20_000; at++) {
    const shelf = shelfOf("endpoints", `default/web-${at}-1`);
    assert.ok(shelf >= 0 && shelf < SHELVES);
    counts.set(shelf, (counts.get(shelf) ?? 0) + 1);
  }
  assert.equal(counts.size, SHELVES);
  assert.ok(Math.max(...counts.values()) < 100, "none has more than some times its part");
  // Servers and agents of different versions must agree: what this is for one entry may never change.
  assert.equal(shelfOf("service", "default/web"), 373);
});

test("a digest is of what lies there, in whatever order it came", () => {
  const [a, b] = [["names a", '{"id":"a"}'] as const, ["names b", '{"id":"b"}'] as const];
  assert.deepEqual(shelfDigest([a, b]), shelfDigest([b, a]));
  assert.notDeepEqual(shelfDigest([a, b]), shelfDigest([a]));
  assert.notDeepEqual(shelfDigest([a]), shelfDigest([["names a", '{"id":"a","more":1}']]));
});

test("digests are read as they were written, and those of another number of shelves are none", () => {
  const digests = Array.from({ length: SHELVES }, (_, at) => shelfDigest([[`k${at}`, `${at}`]]));
  assert.deepEqual(
    digestsOf(digestsText(digests))?.map((each) => [...each]),
    digests.map((each) => [...each]),
  );
  assert.equal(digestsOf(digestsText(digests.slice(1))), undefined);
  assert.equal(digestsOf("no base64 of ours"), undefined);
});

test("a set of shelves is read as it was written", () => {
  const shelves = fc.uniqueArray(fc.integer({ min: 0, max: SHELVES - 1 }));
  fc.assert(fc.property(shelves, (some) => assert.deepEqual(shelvesOf(shelvesText(new Set(some))), new Set(some))));
  assert.equal(shelvesOf("AA=="), undefined);
});
