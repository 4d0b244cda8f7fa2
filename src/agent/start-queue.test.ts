import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../seams/manual-clock.ts";
import { StartQueue } from "./start-queue.ts";

describe("start queue", () => {
  const started =
    (queue: StartQueue, clock: ManualClock, order: string[]) => (name: string, ms: number, signal?: AbortSignal) =>
      queue.run(async () => {
        order.push(name);
        await clock.sleep(ms);
      }, signal ?? new AbortController().signal);

  test("few at a time, in the order asked for", async () => {
    const clock = new ManualClock();
    const order: string[] = [];
    const queue = new StartQueue(clock, 2);
    const start = started(queue, clock, order);
    for (const name of ["a", "b", "c", "d"]) void start(name, 1_000);
    await clock.advance(0);
    assert.deepEqual(order, ["a", "b"]);
    assert.equal(queue.ahead, 2);
    await clock.advance(1_000);
    assert.deepEqual(order, ["a", "b", "c", "d"]);
    await clock.advance(1_000);
    assert.equal(queue.ahead, undefined);
  });

  test("who leaves before its turn holds nobody up", async () => {
    const clock = new ManualClock();
    const order: string[] = [];
    const start = started(new StartQueue(clock, 1), clock, order);
    const leaving = new AbortController();
    void start("a", 1_000);
    const left = assert.rejects(start("b", 1_000, leaving.signal), /goes/);
    void start("c", 1_000);
    await clock.advance(500);
    leaving.abort(new Error("it goes"));
    await left;
    await clock.advance(600);
    assert.deepEqual(order, ["a", "c"]);
  });

  test("a start that hangs makes room after its turn; one that fails at once", async () => {
    const clock = new ManualClock();
    const order: string[] = [];
    const queue = new StartQueue(clock, 1);
    const start = started(queue, clock, order);
    void start("hangs", 3_600_000);
    void start("next", 1_000);
    await clock.advance(14_000);
    assert.deepEqual(order, ["hangs"]);
    await clock.advance(1_100);
    assert.deepEqual(order, ["hangs", "next"]);
    await clock.advance(2_000);
    await assert.rejects(queue.run(() => Promise.reject(new Error("no")), new AbortController().signal));
    assert.equal(queue.ahead, undefined);
  });
});
