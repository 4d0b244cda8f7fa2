import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../seams/manual-clock.ts";
import { watchClock } from "./watch-clock.ts";

class SetClock extends ManualClock {
  shiftMs = 0;

  override now(): number {
    return super.now() + this.shiftMs;
  }
}

test("a clock that is set is said once, with how far and which way; one that is kept right is not", async () => {
  const clock = new SetClock();
  const stop = new AbortController();
  const said: string[] = [];
  const watching = watchClock(clock, stop.signal, (words) => said.push(words));
  for (let second = 0; second < 60; second++) {
    clock.shiftMs += 5;
    await clock.advance(1_000);
  }
  assert.deepEqual(said, []);
  clock.shiftMs -= 7_200_000;
  await clock.advance(30_000);
  clock.shiftMs += 90_000;
  await clock.advance(30_000);
  assert.equal(said.length, 2);
  assert.match(said[0] ?? "", /^this host's clock was set back by 120m; /);
  assert.match(said[1] ?? "", /^this host's clock was 90s further at once: it was set, or the machine slept; /);
  stop.abort();
  await watching;
});
