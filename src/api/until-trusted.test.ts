import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../seams/manual-clock.ts";
import type { Reader } from "../store/transaction.ts";
import { untilTrusted } from "./until-trusted.ts";

test("who asks before the first server has written the cluster's CA down waits for it, and not for ever", async () => {
  const clock = new ManualClock();
  let isThere = false;
  const store = { get: () => (isThere ? {} : undefined) } as unknown as Reader;
  let waited = 0;
  const ask = () => untilTrusted(store, clock, new AbortController().signal).then(() => waited++);
  void ask();
  await clock.advance(1_000);
  assert.equal(waited, 0);
  isThere = true;
  await clock.advance(50);
  assert.equal(waited, 1);
  isThere = false;
  void ask();
  await clock.advance(6_000);
  assert.equal(waited, 2);
});
