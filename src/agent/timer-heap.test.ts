import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../seams/manual-clock.ts";
import { TimerHeap } from "./timer-heap.ts";

describe("timer heap", () => {
  test("a thousand timers wait on one timer of the clock, and fire in order, never early", async () => {
    const clock = new ManualClock();
    const timers = new TimerHeap(clock);
    const fired: number[] = [];
    for (let n = 0; n < 1000; n++) {
      const dueMs = (n * 7919) % 60_000;
      timers.set(dueMs, () => {
        assert(clock.monotonic() >= dueMs && clock.monotonic() <= dueMs + 20);
        fired.push(dueMs);
      });
    }
    assert.equal(clock.timers, 1);
    await clock.advance(60_100);
    assert.equal(fired.length, 1000);
    assert.deepEqual(
      fired,
      fired.toSorted((a, b) => a - b),
    );
    assert.equal(clock.timers, 0);
  });

  test("a timer that is set while timers fire does not fire with them", async () => {
    const clock = new ManualClock();
    const timers = new TimerHeap(clock);
    let turns = 0;
    const again = () => {
      turns++;
      timers.set(5, again);
    };
    timers.set(0, again);
    await clock.advance(1000);
    assert(turns > 20 && turns < 100, `${turns} turns`);
  });

  test("a cancelled timer does not fire", async () => {
    const clock = new ManualClock();
    const timers = new TimerHeap(clock);
    timers.set(10, () => assert.fail("it was cancelled")).cancel();
    await clock.advance(100);
  });
});
