import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Demands } from "./demands.ts";
import { PendingPods, type Waiting } from "./pending-pods.ts";
import { testPod } from "./test-objects.ts";

/** When each of some refusals in a row may be tried again, after the one before. */
function waits(pending: PendingPods, times: number, refuse: (nowMs: number) => void, startMs = 0): readonly number[] {
  let nowMs = startMs;
  return Array.from({ length: times }, () => {
    refuse(nowMs);
    pending.wake("all");
    const nextMs = pending.queueDue(nowMs);
    assert.notEqual(nextMs, undefined, "it may be tried again at once");
    const waitMs = (nextMs ?? 0) - nowMs;
    nowMs = nextMs ?? 0;
    assert.equal(pending.queueDue(nowMs), undefined);
    return waitMs;
  });
}

describe("pods that wait", () => {
  test("a template that is refused again and again is tried after 50 ms, then twice as long each time, up to 10 s", () => {
    const demands = new Demands();
    const pod = testPod({ name: "a", cpu: "8" });
    const pending = new PendingPods();
    pending.offer(pod, (one) => demands.of(one));
    const refuse = (nowMs: number) => pending.putAside(pending.next() as Waiting, demands.of(pod), nowMs);
    assert.deepEqual(waits(pending, 10, refuse), [50, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  test("once a pod of the template was placed, the first wait is short again", () => {
    const demands = new Demands();
    const pod = testPod({ name: "a", cpu: "8" });
    const pending = new PendingPods();
    pending.offer(pod, (one) => demands.of(one));
    const refuse = (nowMs: number) => pending.putAside(pending.next() as Waiting, demands.of(pod), nowMs);
    waits(pending, 4, refuse);
    refuse(10_000);
    pending.placed(demands.of(pod));
    assert.deepEqual(waits(pending, 2, refuse, 20_000), [50, 100]);
  });
});
