import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../seams/manual-clock.ts";
import { Gate, type GateLimits } from "./gate.ts";

const LIMITS: GateLimits = { requestsPerSecond: 2, requestsBurst: 5, streamsEach: 2, streamsInAll: 3 };
const actor = (name: string) => ({ name, roles: [] });

function refusals(count: number, ask: () => void): number {
  let refused = 0;
  for (let n = 0; n < count; n++) {
    try {
      ask();
    } catch (error) {
      assert.equal((error as { reason?: string }).reason, "TooManyRequests");
      refused++;
    }
  }
  return refused;
}

describe("the gate:", () => {
  test("a burst, then so many a second, each user for himself", async () => {
    const clock = new ManualClock();
    const gate = new Gate(clock, () => LIMITS);
    assert.equal(
      refusals(8, () => gate.fromActor(actor("anna"))),
      3,
    );
    assert.equal(
      refusals(5, () => gate.fromActor(actor("bert"))),
      0,
    );
    await clock.advance(1000);
    assert.equal(
      refusals(4, () => gate.fromActor(actor("anna"))),
      2,
    );
  });

  test("it says when to ask again", () => {
    const gate = new Gate(new ManualClock(), () => ({ ...LIMITS, requestsBurst: 1, requestsPerSecond: 0.1 }));
    gate.fromActor(actor("anna"));
    assert.throws(() => gate.fromActor(actor("anna")), {
      retryAfterSeconds: 10,
      message: /"anna" sends more than 0.1/,
    });
  });

  test("limits that are changed count from the next request on", async () => {
    const clock = new ManualClock();
    let limits = LIMITS;
    const gate = new Gate(clock, () => limits);
    assert.equal(
      refusals(6, () => gate.fromActor(actor("anna"))),
      1,
    );
    limits = { ...LIMITS, requestsBurst: 100, requestsPerSecond: 100 };
    await clock.advance(1000);
    assert.equal(
      refusals(100, () => gate.fromActor(actor("anna"))),
      0,
    );
  });

  test("an address may send four times as much as one user: several may be behind it", () => {
    const gate = new Gate(new ManualClock(), () => LIMITS);
    assert.equal(
      refusals(25, () => gate.fromAddress("192.0.2.1")),
      5,
    );
    assert.equal(
      refusals(1, () => gate.fromAddress("192.0.2.2")),
      0,
    );
  });

  test("wrong tokens of one address get slow; those of another do not", () => {
    const gate = new Gate(new ManualClock(), () => LIMITS);
    assert.equal(
      refusals(30, () => gate.failedToken("192.0.2.1")),
      10,
    );
    assert.equal(
      refusals(1, () => gate.failedToken("192.0.2.2")),
      0,
    );
  });

  test("streams are counted for each and for all, and a place is given back once", () => {
    const gate = new Gate(new ManualClock(), () => LIMITS);
    const first = gate.openStream("anna");
    gate.openStream("anna");
    assert.throws(() => gate.openStream("anna"), /"anna" has 2 streams open/);
    gate.openStream("bert");
    assert.throws(() => gate.openStream("carl"), /3 streams are open/);
    first();
    first();
    assert.equal(gate.openStreams, 2);
    gate.openStream("carl");
    assert.equal(gate.openStreams, 3);
  });

  test("200,000 addresses cost the memory of ten thousand", () => {
    const gate = new Gate(new ManualClock(), () => LIMITS);
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 200_000; n++) gate.fromAddress(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
    const grown = process.memoryUsage().heapUsed - before;
    assert.ok(grown < 64 * 2 ** 20, `${Math.round(grown / 2 ** 20)} MiB`);
  });
});
