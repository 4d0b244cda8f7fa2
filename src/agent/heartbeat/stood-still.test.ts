import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../seams/manual-clock.ts";
import { HeartbeatLoop } from "./heartbeat-loop.ts";

/** A host that stands still for a minute: its clock goes on, its timers do not come. */
class FrozenClock extends ManualClock {
  stoodMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.stoodMs;
  }
}

test("after a stop of the whole host it beats once and goes on in its rhythm: what was missed is not sent", async () => {
  const clock = new FrozenClock();
  const beats: number[] = [];
  const loop = new HeartbeatLoop({
    beater: { node: "n1", bootId: "b", session: "s" },
    clock,
    send: () => {
      beats.push(clock.monotonic());
      return new Promise(() => {});
    },
    health: () => ({ health: "ok" }),
    heard: () => {},
  });
  loop.start();
  await clock.advance(2_500);
  clock.stoodMs = 60_000;
  await clock.advance(3_000);
  loop.stop();
  assert.deepEqual(beats, [0, 1_000, 2_000, 63_000, 63_500, 64_500, 65_500]);
});
