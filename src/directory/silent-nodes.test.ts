import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Heartbeat, LeaseDesk } from "../model/heartbeat.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SilentNodes } from "./silent-nodes.ts";

const desk: LeaseDesk = {
  beat: () => ({ renewed: true, known: true, terms: { heartbeatMs: 1_000 } }),
  goodbye: () => {},
};

/** A process that stands still finds the time gone on, and its timers late. */
class StandingClock extends ManualClock {
  stoodMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.stoodMs;
  }
}

/** `all`: beat every second until they are taken out of `alive`. */
function nodesOf(all: readonly string[], terms = { heartbeatMs: 1_000, avoidAfterMs: 1_300 }) {
  const clock = new StandingClock();
  const told: string[] = [];
  const known = new Set(all);
  const silent = new SilentNodes({
    ...{ desk, clock, terms: () => terms, isKnown: (node) => known.has(node) },
    changed: (nodes) => void told.push(`${clock.monotonic()} ${[...nodes].sort().join(",")}`),
  });
  const alive = new Set(all);
  const beat = (node: string) => silent.beat({ node } as Heartbeat);
  const go = () => {
    for (const node of alive) beat(node);
    clock.setTimer(1_000, go);
  };
  go();
  return { clock, told, alive, silent, beat, known };
}

describe("nodes of which nothing is heard", () => {
  test("are named 1.3 s after their last heartbeat, and no more when they are heard again", async () => {
    const { clock, told, alive, beat } = nodesOf(["a", "b", "c"]);
    await clock.advance(4_500);
    alive.delete("b");
    await clock.advance(3_000);
    assert.deepEqual(told, ["5300 b"]);
    beat("b");
    assert.deepEqual(told, ["5300 b", "7500 "]);
  });

  test("nobody is named while all are on time", async () => {
    const { clock, told } = nodesOf(["a", "b", "c"]);
    await clock.advance(60_000);
    assert.deepEqual(told, []);
  });

  test("never more than half of more than two: then the fault is taken to be ours", async () => {
    const { clock, told, alive, beat } = nodesOf(["a", "b", "c", "d"]);
    await clock.advance(4_500);
    for (const node of ["b", "c", "d"]) alive.delete(node);
    await clock.advance(10_000);
    assert.deepEqual(told, []);
    beat("d");
    alive.add("d");
    await clock.advance(1_000);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", / b,c$/, "one is back: the other two are really silent");
  });

  test("one that is late again and again is waited for longer each time, and after a minute on time as at first", async () => {
    const { clock, told, alive, beat } = nodesOf(["a", "b", "c"]);
    await clock.advance(4_500);
    alive.delete("b");
    const waited: number[] = [];
    for (let round = 0; round < 4; round++) {
      beat("b");
      const [beganMs, before] = [clock.monotonic(), told.length];
      while (told.length === before) await clock.advance(50);
      waited.push(clock.monotonic() - beganMs);
    }
    for (const [at, most] of [1_500, 3_000, 5_800, 11_000].entries())
      assert.ok((waited[at] ?? 0) > most / 2.6 && (waited[at] ?? 0) < most, waited.join());
    alive.add("b");
    await clock.advance(70_000);
    const before = told.length;
    alive.delete("b");
    await clock.advance(2_000);
    assert.equal(told.length, before + 1);
  });

  test("one that was away for good is named as soon as any other when it goes again", async () => {
    const { clock, told, alive } = nodesOf(["a", "b", "c"]);
    await clock.advance(4_500);
    for (let round = 0; round < 4; round++) {
      alive.delete("b");
      await clock.advance(6_000);
      alive.add("b");
      await clock.advance(3_000);
    }
    const before = told.length;
    alive.delete("b");
    await clock.advance(2_000);
    assert.equal(told.length, before + 1);
  });

  test("of two, one is named", async () => {
    const { clock, told, alive } = nodesOf(["a", "b"]);
    await clock.advance(4_500);
    alive.delete("b");
    await clock.advance(1_000);
    assert.deepEqual(told, ["5300 b"]);
  });

  test("one that is long dead does not count when another falls silent", async () => {
    const { clock, told, alive } = nodesOf(["a", "b", "c"]);
    await clock.advance(4_500);
    alive.delete("b");
    await clock.advance(120_000);
    alive.delete("c");
    await clock.advance(3_000);
    assert.equal(told.length, 2);
    assert.match(told[1] ?? "", / b,c$/);
  });

  test("nodes that are slower to beat are waited for longer", async () => {
    const { clock, told } = nodesOf(["a", "b", "c"], { heartbeatMs: 900, avoidAfterMs: 500 });
    await clock.advance(20_000);
    assert.deepEqual(told, []);
  });

  test("one that is slower to beat than is waited for is waited for all the same, when the others are faster", async () => {
    const terms = { heartbeatMs: 1_000, avoidAfterMs: 200 };
    const { clock, told, beat } = nodesOf(["slow"], terms);
    const others = () => {
      for (const node of ["b", "c", "d"]) beat(node);
      clock.setTimer(100, others);
    };
    others();
    await clock.advance(20_000);
    assert.deepEqual(told, []);
  });

  test("those that a new server never heard are named after five seconds, but for those there are no more", async () => {
    const { clock, told, alive, silent, known } = nodesOf(["a", "b", "c"]);
    alive.delete("c");
    for (const node of ["x", "y"]) known.add(node);
    silent.expect(["a", "b", "x", "y"]);
    known.delete("y");
    await clock.advance(4_900);
    assert.deepEqual(told, ["1300 c"]);
    await clock.advance(200);
    assert.match(told[1] ?? "", /^5000 c,x$/);
  });

  test("who was heard when we stood still is waited for anew: what it said meanwhile is still to be read", async () => {
    const { clock, told, alive, beat } = nodesOf(["a", "b"]);
    await clock.advance(4_500);
    alive.clear();
    clock.stoodMs = 5_000;
    await clock.advance(1_000);
    assert.deepEqual(told, []);
    beat("a");
    await clock.advance(1_200);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", / b$/, "but not for longer than otherwise");
  });

  test("one that was taken out of the cluster is named no more", async () => {
    const { clock, told, alive, known } = nodesOf(["a", "b", "c"]);
    await clock.advance(1_500);
    alive.delete("c");
    known.delete("c");
    await clock.advance(5_000);
    assert.deepEqual(told, []);
  });
});
