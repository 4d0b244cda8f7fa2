import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../seams/manual-clock.ts";
import { OpenStreams } from "./open-streams.ts";

describe("open streams", () => {
  test("one that was opened with a token ends when the token does, also months later, and others go on", async () => {
    const clock = new ManualClock();
    const streams = new OpenStreams(clock);
    const cut: string[] = [];
    const months = 90 * 24 * 3_600_000;
    streams.add("ann", () => cut.push("soon"), clock.now() + 1_000);
    streams.add("ann", () => cut.push("late"), clock.now() + months);
    streams.add("ann", () => cut.push("never"));
    await clock.advance(999);
    assert.deepEqual(cut, []);
    await clock.advance(1);
    assert.deepEqual(cut, ["soon"]);
    await clock.advance(months);
    assert.deepEqual(cut, ["soon", "late"]);
  });

  test("one that has ended by itself is not cut", async () => {
    const clock = new ManualClock();
    const streams = new OpenStreams(clock);
    const cut: string[] = [];
    streams.add("ann", () => cut.push("x"), clock.now() + 10)();
    await clock.advance(20);
    assert.deepEqual(cut, []);
    assert.equal(streams.cut("ann"), 0);
  });
});
