import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../../../seams/manual-clock.ts";
import type { UpstreamAnswer } from "../wire/read-answer.ts";
import { AnswerCache } from "./answer-cache.ts";

function answer(ttlSeconds: number | undefined, bytes = 100): UpstreamAnswer {
  const base = { bytes: Buffer.alloc(bytes), rcode: 0, isTruncated: false, ttlOffsets: [] };
  return ttlSeconds === undefined ? base : { ...base, ttlSeconds };
}

describe("remembered answers", () => {
  test("hold for as long as they say, an hour at most, and grow older", async () => {
    const clock = new ManualClock();
    const cache = new AnswerCache(clock);
    cache.put("short", answer(30));
    cache.put("long", answer(86_400));
    cache.put("never", answer(undefined));
    cache.put("now", answer(0));
    assert.deepEqual([cache.get("never"), cache.get("now")], [undefined, undefined]);
    assert.equal(cache.get("short")?.ageSeconds, 0);
    await clock.advance(12_700);
    assert.equal(cache.get("short")?.ageSeconds, 12);
    await clock.advance(17_000);
    assert.equal(cache.get("short")?.ageSeconds, 29, "being asked for makes it no younger");
    await clock.advance(300);
    assert.equal(cache.get("short"), undefined);
    await clock.advance(3_569_000);
    assert.equal(cache.get("long")?.ageSeconds, 3_599);
    await clock.advance(1_000);
    assert.equal(cache.get("long"), undefined);
  });

  test("take four megabytes at most: those go first that were not asked for longest", () => {
    const cache = new AnswerCache(new ManualClock());
    for (let n = 0; n < 64; n++) cache.put(`n${n}`, answer(60, 65_536));
    assert.ok(cache.get("n0"), "so much is kept");
    cache.put("more", answer(60, 65_536));
    assert.ok(!cache.get("n1"));
    assert.ok(cache.get("n0"));
    assert.ok(cache.get("more"));
    for (let n = 0; n < 200; n++) cache.put("same", answer(60, 65_536));
    assert.ok(cache.get("n63"), "the same again takes no more room");
  });

  test("are five thousand at most", () => {
    const cache = new AnswerCache(new ManualClock());
    for (let n = 0; n <= 5000; n++) cache.put(`n${n}`, answer(60, 10));
    assert.equal(cache.get("n0"), undefined);
    assert.ok(cache.get("n1"));
  });
});
