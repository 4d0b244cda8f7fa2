import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Move, type MoveLimits, MoveQueue } from "./move-queue.ts";

const LIMITS: MoveLimits = { movesBurst: 5, movesPerSecond: 2, workloadMovesBurst: 3, workloadMovesPerSecond: 1 };

function move(at: number, workload = "web", dueMs = 0): Move {
  const uid = `${workload}-${at}`;
  return { node: "n1", key: `default/${uid}`, uid, workload, dueMs, exclusive: false };
}

const always = () => true;
const uids = (moves: readonly Move[]) => moves.map(({ uid }) => uid);

describe("the queue of moves", () => {
  test("a move waits until it is due", () => {
    const queue = new MoveQueue(LIMITS, 0);
    queue.add(move(1, "web", 500), 0, LIMITS);
    assert.equal(queue.nextMs(LIMITS), 500);
    assert.deepEqual(queue.take(499, LIMITS, always), []);
    assert.deepEqual(uids(queue.take(500, LIMITS, always)), ["web-1"]);
  });

  test("one that is due sooner comes first, also when it was added later", () => {
    const queue = new MoveQueue(LIMITS, 0);
    queue.add(move(1, "web", 900), 0, LIMITS);
    queue.add(move(2, "web", 100), 0, LIMITS);
    assert.deepEqual(uids(queue.take(100, LIMITS, always)), ["web-2"]);
  });

  test("workloads take turns: one that has used up its share does not hold up the others", () => {
    const queue = new MoveQueue(LIMITS, 0);
    for (let at = 0; at < 10; at++) queue.add(move(at, "big"), 0, LIMITS);
    queue.add(move(0, "small"), 0, LIMITS);
    const first = uids(queue.take(0, LIMITS, always));
    assert.deepEqual(first.toSorted(), ["big-0", "big-1", "big-2", "small-0"]);
    assert.equal(queue.nextMs(LIMITS), 1_000);
    assert.deepEqual(uids(queue.take(1_000, LIMITS, always)), ["big-3"]);
  });

  test("what is void when its turn comes costs nothing", () => {
    const queue = new MoveQueue(LIMITS, 0);
    for (let at = 0; at < 20; at++) queue.add(move(at, `w${at}`), 0, LIMITS);
    const taken = queue.take(0, LIMITS, ({ uid }) => Number(uid.split("-")[0]?.slice(1)) >= 15);
    assert.equal(taken.length, 5);
    assert.equal(queue.size, 5, "those that are being moved");
    queue.done(taken);
    assert.equal(queue.size, 0);
  });

  test("a pod is in it once, until its move is done", () => {
    const queue = new MoveQueue(LIMITS, 0);
    queue.add(move(1), 0, LIMITS);
    queue.add(move(1), 0, LIMITS);
    const taken = queue.take(0, LIMITS, always);
    queue.add(move(1), 0, LIMITS);
    assert.equal(taken.length, 1);
    assert.deepEqual(queue.take(10_000, LIMITS, always), []);
    queue.done(taken);
    queue.add(move(1), 0, LIMITS);
    assert.equal(queue.take(10_000, LIMITS, always).length, 1);
  });

  test("property: nothing is lost, and in no span of time more passes than the limits allow", () => {
    const wanted = fc.array(fc.record({ workload: fc.nat(3), dueMs: fc.nat(5_000) }), { maxLength: 60 });
    fc.assert(
      fc.property(
        wanted,
        fc.array(fc.integer({ min: 1, max: 1_500 }), { minLength: 20, maxLength: 40 }),
        (all, gaps) => {
          const queue = new MoveQueue(LIMITS, 0);
          for (const [at, { workload, dueMs }] of all.entries()) queue.add(move(at, `w${workload}`, dueMs), 0, LIMITS);
          const taken: { readonly atMs: number; readonly move: Move }[] = [];
          let nowMs = 0;
          for (const gap of [...gaps, 100_000, 100_000, 100_000]) {
            nowMs += gap;
            for (const one of queue.take(nowMs, LIMITS, always)) taken.push({ atMs: nowMs, move: one });
          }
          for (let ms = nowMs; queue.nextMs(LIMITS) !== undefined; ms += 1_000) {
            for (const one of queue.take(ms, LIMITS, always)) taken.push({ atMs: ms, move: one });
          }
          assert.equal(new Set(taken.map(({ move: { uid } }) => uid)).size, all.length);
          assert.ok(taken.every(({ atMs, move: { dueMs } }) => atMs >= dueMs));
          within(
            taken.map(({ atMs }) => atMs),
            LIMITS.movesBurst,
            LIMITS.movesPerSecond,
          );
          for (const workload of ["w0", "w1", "w2", "w3"]) {
            const mine = taken.filter(({ move: one }) => one.workload === workload).map(({ atMs }) => atMs);
            within(mine, LIMITS.workloadMovesBurst, LIMITS.workloadMovesPerSecond);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** The law of a token bucket: in any span no more than the burst and what the span has brought. */
function within(times: readonly number[], burst: number, perSecond: number): void {
  for (const [from, begin] of times.entries()) {
    for (let to = from; to < times.length; to++) {
      const span = (times[to] ?? begin) - begin;
      assert.ok(to - from + 1 <= burst + (span * perSecond) / 1000 + 1e-6, `${to - from + 1} within ${span} ms`);
    }
  }
}
