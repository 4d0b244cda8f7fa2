import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newLease } from "./lease.ts";
import { settle, standingOf } from "./standing.ts";

const lease = (of: Partial<ReturnType<typeof newLease>> = {}) => ({ ...newLease("a", 0, 0), ...of });
const UP = {
  standing: "up" as const,
  comeback: undefined,
  gone: false,
  againMs: undefined,
  returnedUntilMs: undefined,
};

describe("where a node stands", () => {
  test("lost comes before held, held before up", () => {
    const loss = { sinceMs: 0 };
    assert.equal(standingOf(lease({ loss, hasLived: true, hasBeaten: true }), true), "lost");
    assert.equal(standingOf(lease({ loss }), true), "never up");
    assert.equal(standingOf(lease({ hasBeaten: true }), true), "held");
    assert.equal(standingOf(lease({ hasBeaten: true }), false), "up");
    assert.equal(standingOf(lease(), false), undefined);
  });
});

describe("once it is written", () => {
  test("that it is back, a comeback that was said is not said again, and one that came since is", () => {
    const said = { silentMs: 1, rebooted: false, announced: false };
    const present = lease({ comeback: said });
    settle(present, { ...UP, comeback: said });
    assert.equal(present.comeback, undefined);
    const newer = lease({ comeback: { ...said } });
    settle(newer, { ...UP, comeback: said });
    assert.notEqual(newer.comeback, undefined);
  });

  test("that it is back, nothing of it counts as given away, unless that is being written just now", () => {
    const present = lease({ gaveAway: true });
    settle(present, UP);
    assert.equal(present.gaveAway, false);
    const giving = lease({ gaveAway: true, giving: 1 });
    settle(giving, UP);
    assert.equal(giving.gaveAway, true);
  });

  test("it is waited for until all of its pods are taken back", () => {
    const waiting = lease({ returnedUntilMs: 9 });
    settle(waiting, { ...UP, againMs: 9, returnedUntilMs: 9 });
    assert.equal(waiting.returnedUntilMs, 9);
    settle(waiting, { ...UP, returnedUntilMs: 9 });
    assert.equal(waiting.returnedUntilMs, undefined);
  });

  test("nothing of that when it was lost again meanwhile; that it is gone is said once", () => {
    const lost = lease({ loss: { sinceMs: 0 }, gaveAway: true });
    settle(lost, { ...UP, gone: true });
    assert.deepEqual([lost.gaveAway, lost.goneTold], [true, true]);
  });
});
