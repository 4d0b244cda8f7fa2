import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../../../seams/manual-clock.ts";
import type { UpstreamAnswer } from "../wire/read-answer.ts";
import { AnswerCache } from "./answer-cache.ts";

function answer(ttlSeconds: number | undefined, size = 40): UpstreamAnswer {
  const rest = { bytes: Buffer.alloc(size), rcode: 0, isTruncated: false, ttlOffsets: [] };
  return { ...rest, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) };
}

describe("remembered answers of other servers", () => {
  test("hold as long as they say, and are said with their age", async () => {
    const clock = new ManualClock();
    const cache = new AnswerCache(clock);
    cache.put("a", answer(30));
    cache.put("none", answer(undefined));
    await clock.advance(12_500);
    assert.equal(cache.get("a")?.ageSeconds, 12);
    assert.equal(cache.get("none"), undefined);
    await clock.advance(17_499);
    assert.equal(cache.get("a")?.ageSeconds, 29);
    await clock.advance(1);
    assert.equal(cache.get("a"), undefined);
  });

  test("take four megabytes at most: those go that were asked for least lately", () => {
    const cache = new AnswerCache(new ManualClock());
    const keys = Array.from({ length: 100 }, (_, n) => `k${n}`);
    for (const key of keys) {
      cache.put(key, answer(30, 65_000));
      cache.get("k0");
    }
    const kept = keys.filter((key) => cache.get(key) !== undefined);
    assert.equal(kept.length, Math.floor((4 * 1024 * 1024) / 65_000));
    assert.ok(kept.includes("k0") && kept.includes("k99") && !kept.includes("k1"));
    cache.put("k0", answer(30, 10));
    assert.ok(keys.filter((key) => cache.get(key) !== undefined).length === kept.length, "in place of the one before");
  });

  test("hold an hour at most, whatever they say; and being asked for makes none younger", async () => {
    const clock = new ManualClock();
    const cache = new AnswerCache(clock);
    cache.put("long", answer(86_400));
    cache.put("now", answer(0));
    assert.equal(cache.get("now"), undefined);
    await clock.advance(3_599_000);
    assert.equal(cache.get("long")?.ageSeconds, 3_599);
    assert.equal(cache.get("long")?.ageSeconds, 3_599);
    await clock.advance(1_000);
    assert.equal(cache.get("long"), undefined);
  });

  test("are five thousand at most", () => {
    const cache = new AnswerCache(new ManualClock());
    for (let n = 0; n <= 5000; n++) cache.put(`n${n}`, answer(60, 10));
    assert.ok(!cache.get("n0"));
    assert.ok(cache.get("n1"));
  });
});
