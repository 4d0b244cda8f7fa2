import assert from "node:assert/strict";
import { test } from "node:test";
import { inTime } from "./in-time.ts";
import { ManualClock } from "./manual-clock.ts";

const LATE = () => "late";

test("what comes in time is the answer, and its limit is over with it", async () => {
  const clock = new ManualClock();
  const work = Promise.withResolvers<string>();
  const answer = inTime(clock, 100, work.promise, LATE);
  await clock.advance(99);
  work.resolve("done");
  assert.equal(await answer, "done");
  assert.equal(clock.timers, 0);
});

test("what takes longer is not waited for, and what becomes of it harms nobody", async () => {
  const clock = new ManualClock();
  const work = Promise.withResolvers<string>();
  const answer = inTime(clock, 100, work.promise, LATE);
  await clock.advance(100);
  assert.equal(await answer, "late");
  // Unhandled, this would end the process.
  work.reject(new Error("much later"));
  await clock.advance(1);
});

test("work that fails in time says why, and being late may be a failure too", async () => {
  const clock = new ManualClock();
  await assert.rejects(inTime(clock, 100, Promise.reject(new Error("no such bridge")), LATE), /no such bridge/);
  assert.equal(clock.timers, 0);
  const never = inTime(clock, 100, new Promise<never>(() => {}), () => {
    throw new Error("not said within 0.1 s");
  });
  const refused = assert.rejects(never, /not said within 0.1 s/);
  await clock.advance(100);
  await refused;
});
