import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../seams/manual-clock.ts";
import { LastHeard } from "./last-heard.ts";

const NOTHING = { isBack: false, isLate: false, isGap: false };

async function answeredAt(...timesMs: readonly number[]) {
  const clock = new ManualClock();
  const heard = new LastHeard(clock);
  let last = { ...NOTHING };
  for (const atMs of timesMs) {
    await clock.advance(atMs - clock.monotonic());
    last = heard.note({ sentAtMs: atMs });
  }
  return { clock, heard, last };
}

describe("when the control plane hears of this node", () => {
  test("the first answer: it is heard, and what waits is tried", async () => {
    const { last } = await answeredAt(0);
    assert.deepEqual(last, { isBack: true, isLate: true, isGap: false });
  });

  test("answers in their rhythm mean nothing, and one that failed means little", async () => {
    assert.deepEqual((await answeredAt(0, 1_000)).last, NOTHING);
    assert.deepEqual((await answeredAt(0, 2_000)).last, NOTHING);
    assert.deepEqual((await answeredAt(0, 2_001)).last, { ...NOTHING, isLate: true });
  });

  test("after three intervals without an answer it is not heard, until the next", async () => {
    const { clock, heard } = await answeredAt(0);
    await clock.advance(3_000);
    assert.equal(heard.isHeard, true);
    await clock.advance(1);
    assert.equal(heard.isHeard, false);
    assert.deepEqual(heard.note({ sentAtMs: 3_001 }), { isBack: true, isLate: true, isGap: false });
  });

  test("after five, words of this node may have been replaced", async () => {
    assert.equal((await answeredAt(0, 5_000)).last.isGap, false);
    assert.equal((await answeredAt(0, 5_001)).last.isGap, true);
  });

  test("an answer to what was sent long ago does not make it heard", async () => {
    const { clock, heard } = await answeredAt(0);
    await clock.advance(10_000);
    assert.equal(heard.note({ sentAtMs: 4_000 }).isBack, false);
    assert.equal(heard.isHeard, false);
  });

  test("intervals are as long as the control plane says, as soon as it says so", async () => {
    const heard = new LastHeard(new ManualClock());
    assert.equal(heard.heartbeatMs, 1_000);
    heard.note({ sentAtMs: 0, terms: { heartbeatMs: 5_000 } });
    assert.equal(heard.heartbeatMs, 5_000);
    assert.deepEqual(heard.note({ sentAtMs: 10_000 }), NOTHING);
  });
});
