import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ApiError } from "../model/errors.ts";
import { kernelKinds } from "../model/kinds.ts";
import { type Node, nodes } from "../model/node.ts";
import { testNode } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { PlanDesk } from "./plan-desk.ts";

async function open() {
  const clock = new ManualClock();
  const journal = new MemoryJournal();
  const random = new SeededRandom("plans");
  const store = await Store.open({ kinds: kernelKinds, journal, clock, random, log: silentLog });
  const desk = new PlanDesk({ store, clock });
  const change = () => store.update((tx) => void tx.create<Node>(nodes, testNode({ name: `n${store.revision}` })));
  await change();
  return { desk, change };
}

const isBusy = (error: unknown) =>
  error instanceof ApiError && error.reason === "TooManyRequests" && error.retryAfterSeconds === 1;

describe("plans for a rebalance:", () => {
  test("300 who ask the same at once, and whoever asks again while nothing has changed, get one plan", async () => {
    const { desk } = await open();
    const plans = await Promise.all(Array.from({ length: 300 }, () => desk.plan(20)));
    assert.equal(new Set([...plans, await desk.plan(20)]).size, 1);
  });

  test("what was written before the asking is in the plan", async () => {
    const { desk, change } = await open();
    const before = await desk.plan(20);
    await change();
    assert.notEqual(await desk.plan(20), before);
    const underWay = desk.plan(20);
    await change();
    assert.notEqual(await desk.plan(20), await underWay);
  });

  test("one at a time: the second waits, the third is told to come again, and later everybody is served", async () => {
    const { desk } = await open();
    const first = desk.plan(1);
    const second = desk.plan(2);
    await assert.rejects(desk.plan(3), isBusy);
    assert.equal(await desk.plan(2), await second);
    assert.ok(await first);
    assert.ok(await desk.plan(3));
  });
});
