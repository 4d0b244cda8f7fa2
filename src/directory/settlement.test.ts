import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../seams/manual-clock.ts";
import { Settlement } from "./settlement.ts";

/** Long past the first two seconds, in which a server waits for whoever comes. */
async function settlementOf(...nodes: readonly string[]) {
  const clock = new ManualClock();
  const said: number[] = [];
  const settlement = new Settlement(clock, (revision) => void said.push(revision));
  const seats = nodes.map((node) => settlement.join(node));
  await clock.advance(10_000);
  const seat = (at: number) => seats[at] ?? assert.fail(`nobody sits at ${at}`);
  return { clock, said, settlement, seat };
}

describe("what every node has brought", () => {
  test("is settled when the last one says so, and one that is slow is waited for a second", async () => {
    const { clock, said, settlement, seat } = await settlementOf("a", "b");
    settlement.told(1);
    settlement.applied(seat(0), 1);
    await clock.advance(900);
    assert.deepEqual(said, []);
    settlement.applied(seat(1), 1);
    await clock.advance(30);
    assert.deepEqual(said, [1]);
    settlement.told(2);
    settlement.applied(seat(0), 2);
    await clock.advance(900);
    assert.deepEqual(said, [1]);
    await clock.advance(200);
    assert.deepEqual(said, [1, 2]);
  });

  test("a node cannot have applied what it was not told yet, whatever it says", async () => {
    const { clock, said, settlement, seat } = await settlementOf("a");
    settlement.told(1);
    settlement.applied(seat(0), 999);
    await clock.advance(30);
    assert.deepEqual(said, [1]);
    settlement.told(2);
    await clock.advance(500);
    assert.deepEqual(said, [1], "the second revision is not applied by what it said of the first");
    settlement.applied(seat(0), 2);
    await clock.advance(30);
    assert.deepEqual(said, [1, 2]);
  });

  test("a node that leaves holds nobody up, from the moment it leaves", async () => {
    const { clock, said, settlement, seat } = await settlementOf("a", "b");
    settlement.told(1);
    settlement.applied(seat(0), 1);
    await clock.advance(150);
    assert.deepEqual(said, []);
    settlement.leave(seat(1));
    await clock.advance(25);
    assert.deepEqual(said, [1]);
  });

  test("nor does one of which nothing is heard", async () => {
    const { clock, said, settlement, seat } = await settlementOf("a", "b");
    settlement.told(1);
    settlement.applied(seat(0), 1);
    await clock.advance(150);
    settlement.setSilent(new Set(["b"]));
    await clock.advance(25);
    assert.deepEqual(said, [1]);
  });
});
