import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../../seams/manual-clock.ts";
import { PartLooks } from "./part-looks.ts";

describe("a look at the host for who asks how it is", () => {
  test("is one for all who ask at once, and not again within a second", async () => {
    const clock = new ManualClock();
    let times = 0;
    const part = { lookAgain: () => Promise.resolve(void times++) };
    const looks = new PartLooks([part, {}], clock);
    await Promise.all([looks.now(), looks.now()]);
    await looks.now();
    assert.equal(times, 1);
    await clock.advance(1_000);
    await looks.now();
    assert.equal(times, 2);
  });

  test("is waited for 3 s at most, and what fails of it is the part's to say", async () => {
    const clock = new ManualClock();
    const never = { lookAgain: () => new Promise<void>(() => undefined) };
    const failing = { lookAgain: () => Promise.reject(new Error("no nft")) };
    await new PartLooks([failing], clock).now();
    const late = new PartLooks([never], clock).now();
    await clock.advance(3_000);
    await late;
  });
});
