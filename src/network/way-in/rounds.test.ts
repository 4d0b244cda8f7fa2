import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { Rounds } from "./rounds.ts";

test("what has ended is looked at within half a second, but for one that ends again and again", async () => {
  const clock = new ManualClock();
  const looks: number[] = [];
  let isThere = true;
  const look = async () => void looks.push(clock.monotonic());
  const rounds = new Rounds({ clock, log: silentLog, look, isThere: async () => isThere });
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) await clock.advance(100);
  };
  const from = clock.monotonic();
  const at = () => looks.splice(0).map((ms) => ms - from);
  rounds.begin();
  await pass(11_400);
  assert.deepEqual(at(), [1_000, 6_000, 11_000]);
  isThere = false;
  await pass(500);
  assert.deepEqual(at(), [11_500]);
  await pass(9_600);
  assert.deepEqual(at(), [16_500, 21_500], "it is not there still: no more often than always");
  isThere = true;
  await pass(1_000);
  isThere = false;
  await pass(500);
  assert.deepEqual(at(), [23_000], "it had come back");
  isThere = true;
  await pass(500);
  isThere = false;
  await pass(4_600);
  assert.deepEqual(at(), [28_000], "it ends again and again");
  rounds.stop();
  await pass(10_000);
  assert.deepEqual(at(), []);
});
