import assert from "node:assert/strict";
import { test } from "node:test";
import { MoveQueue } from "./move-queue.ts";

const LIMITS = { movesBurst: 100_000, movesPerSecond: 1_000, workloadMovesBurst: 3, workloadMovesPerSecond: 1 };

test("workloads of which nothing has moved for long are forgotten, those in which something waits are not", () => {
  const queue = new MoveQueue(LIMITS, 0);
  const add = (workload: string, nowMs: number, dueMs = nowMs) =>
    queue.add({ node: "n1", key: workload, uid: workload, workload, dueMs, exclusive: false }, nowMs, LIMITS);
  add("late", 0, 1e9);
  for (let at = 1; at <= 5_000; at++) {
    const nowMs = at * 10;
    add(`w${at}`, nowMs);
    const taken = queue.take(nowMs, LIMITS, () => true);
    assert.equal(taken.length, 1, "each has its share, remembered or not");
    queue.done(taken);
  }
  assert.ok(queue.workloads <= 1_000, `${queue.workloads} are remembered`);
  assert.equal(queue.take(1e9, LIMITS, () => true)[0]?.uid, "late");
});
