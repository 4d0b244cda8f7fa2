import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../seams/manual-clock.ts";
import { Fence, leaseState } from "./fence.ts";

const TERMS = { heartbeatMs: 1_000, exclusiveMs: 40_000 };

function fenced() {
  const clock = new ManualClock();
  const asked: number[] = [];
  let changes = 0;
  const host = { clock, ask: (ticket: number) => void asked.push(ticket), changed: () => void changes++ };
  return { clock, asked, fence: new Fence(host, TERMS), changes: () => changes };
}

describe("lease", () => {
  test("valid for half of the time, then to be stopped until three quarters, then over", () => {
    const lease = { sentAtMs: 1_000, terms: TERMS };
    const kinds = [20_999, 21_000, 30_999, 31_000].map((nowMs) => leaseState(lease, nowMs).kind);
    assert.deepEqual(kinds, ["valid", "stopping", "stopping", "over"]);
  });

  test("without such terms it never ends", () => {
    assert.equal(leaseState({ sentAtMs: 0, terms: { heartbeatMs: 1_000 } }, 1e12).kind, "valid");
  });
});

describe("fence", () => {
  const renewed = (sentAtMs: number) => ({ sentAtMs, outcome: "renewed", known: true, terms: TERMS }) as const;

  test("opens by an answer to what was asked after the lease came, and by no other", () => {
    const { asked, fence } = fenced();
    fence.told(0);
    assert.notEqual(fence.word, undefined, "nothing was heard");
    fence.heard(renewed(0));
    fence.told(0);
    assert.notEqual(fence.word, undefined, "asked before");
    assert.equal(asked.length, 1);
    fence.told(asked[0] ?? -1);
    assert.equal(fence.word, undefined);
  });

  test("a control plane that gives nothing away has nobody fenced, also before it knows the host", () => {
    const { fence } = fenced();
    const terms = { heartbeatMs: 1_000 };
    fence.heard({ sentAtMs: 0, outcome: "withheld", known: false, terms });
    assert.equal(fence.word, undefined);
  });

  test("an answer that comes when the lease is over again does not open it", async () => {
    const { clock, asked, fence } = fenced();
    fence.heard(renewed(0));
    assert.notEqual(fence.word, undefined);
    await clock.advance(25_000);
    fence.told(asked[0] ?? -1);
    assert.notEqual(fence.word, undefined);
    fence.heard(renewed(25_000));
    fence.told(asked[0] ?? -1);
    assert.notEqual(fence.word, undefined, "it was asked before the lease came back");
  });

  test("a late answer to an old heartbeat does not renew as of now", async () => {
    const { clock, asked, fence } = fenced();
    fence.heard(renewed(0));
    void fence.word;
    fence.told(asked[0] ?? -1);
    await clock.advance(19_000);
    fence.heard(renewed(2_000));
    await clock.advance(3_500);
    assert.equal(fence.word?.stopByMs, 2_000 + 30_000);
  });

  test("the host stood still while the lease ran out: shut, although a renewal is the next thing it hears", async () => {
    const { clock, asked, fence } = fenced();
    fence.heard(renewed(0));
    void fence.word;
    fence.told(asked[0] ?? -1);
    // As after a stop of the whole host: what is heard comes before the timers that are due.
    Object.assign(clock, { monotonic: () => 60_000 });
    fence.heard(renewed(60_000));
    assert.equal(fence.word?.stopByMs, 30_000);
  });

  test("whatever happens: what may run was heard of in the last half of the time, and what must end has three quarters", async () => {
    const events = fc.array(
      fc.record({
        waitMs: fc.integer({ min: 1, max: 15_000 }),
        delayMs: fc.integer({ min: 0, max: 12_000 }),
        outcome: fc.constantFrom("renewed", "renewed", "refused", "withheld", "nothing"),
        tell: fc.boolean(),
      }),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(events, async (all) => {
        const { clock, asked, fence } = fenced();
        let [newestMs, withheld] = [Number.NEGATIVE_INFINITY, false];
        for (const { waitMs, delayMs, outcome, tell } of all) {
          await clock.advance(waitMs);
          const sentAtMs = clock.monotonic() - delayMs;
          if (outcome !== "nothing" && sentAtMs >= newestMs) {
            fence.heard({ sentAtMs, outcome, known: true, ...(outcome === "refused" ? {} : { terms: TERMS }) });
            if (outcome !== "withheld") newestMs = sentAtMs;
            if (outcome !== "refused") withheld = outcome === "withheld";
          }
          void fence.word;
          if (tell) fence.told(asked.at(-1) ?? -1);
          const { word } = fence;
          if (word !== undefined)
            assert.ok(word.stopByMs === undefined || word.stopByMs <= Math.max(newestMs, 0) + 30_000 || withheld);
          else
            assert.ok(
              !withheld && clock.monotonic() - newestMs < 20_000,
              `open ${clock.monotonic() - newestMs} ms after`,
            );
        }
        fence.stop();
      }),
      { numRuns: 60 },
    );
  });
});
