import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../../seams/manual-clock.ts";
import { Pulse, ringMs } from "./pulse.ts";

describe("when the pulse rings", () => {
  test("property: later than now, within a second and a step, and never before what is due", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(5_000), (nowMs, aheadMs) => {
        const atMs = ringMs(nowMs + aheadMs, nowMs);
        assert.ok(atMs > nowMs);
        assert.ok(atMs <= nowMs + 1_250);
        assert.ok(atMs >= nowMs + Math.min(aheadMs, 1_000));
        assert.equal(atMs % 250, 0);
      }),
    );
  });

  test("once a second when nothing is due, and at the next step when something is overdue", () => {
    assert.equal(ringMs(Number.POSITIVE_INFINITY, 10_000), 11_000);
    assert.equal(ringMs(2_000, 10_000), 10_250);
  });
});

function started() {
  const clock = new ManualClock();
  const stopping = new AbortController();
  const seen: string[] = [];
  const pulse = new Pulse(clock, stopping.signal, {
    nextMs: () => Number.POSITIVE_INFINITY,
    due: () => void seen.push("due"),
    soon: () => void seen.push("soon"),
    stood: (stoodMs) => void seen.push(`stood ${stoodMs}`),
  });
  return { clock, stopping, seen, pulse };
}

describe("the pulse", () => {
  test("does nothing by itself before it runs, and nothing once the signal is given", async () => {
    const { clock, stopping, seen, pulse } = started();
    pulse.arm();
    await clock.advance(3_000);
    assert.deepEqual(seen, []);
    pulse.begin(clock.monotonic());
    pulse.run();
    await clock.advance(1_000);
    assert.deepEqual(seen, ["due"]);
    stopping.abort();
    pulse.stop();
    pulse.soon();
    await clock.advance(5_000);
    assert.deepEqual(seen, ["due"]);
  });

  test("what is asked for soon is done once, however often it is asked for", async () => {
    const { clock, seen, pulse } = started();
    pulse.soon();
    pulse.soon();
    await clock.advance(0);
    assert.deepEqual(seen, ["soon"]);
  });

  test("says that it stood still before it does what is due, when more than two seconds are missing", async () => {
    const { clock, seen, pulse } = started();
    pulse.begin(clock.monotonic() - 2_500);
    pulse.run();
    assert.deepEqual(seen, ["stood 2500"]);
    await clock.advance(1_000);
    assert.deepEqual(seen, ["stood 2500", "due"]);
  });
});
