import assert from "node:assert/strict";
import { test } from "node:test";
import { HARD_STOP_MINUTES, pauseAfter } from "./pace.ts";

test("the first configurations follow each other at once; of those whose connections never end there are at most twenty", () => {
  assert.deepEqual([0, 1, 4, 5, 6].map(pauseAfter), [0, 0, 0, 10_000, 13_100]);
  let [nowMs, most] = [0, 0];
  const ends: number[] = [];
  for (let reload = 0; reload < 200; reload++) {
    const living = () => ends.filter((end) => end > nowMs).length;
    const lastMs = nowMs;
    while (nowMs < lastMs + pauseAfter(living())) nowMs += 1_000;
    ends.push(nowMs + HARD_STOP_MINUTES * 60_000);
    most = Math.max(most, living());
  }
  assert.ok(most >= 15 && most <= 20, `${most} old workers`);
});
