import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import { LinkError } from "../../seams/link.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { HeartbeatLoop, type HeartbeatNews } from "./heartbeat-loop.ts";

const YES: HeartbeatAnswer = { renewed: true, known: true, terms: { heartbeatMs: 1_000, exclusiveMs: 40_000 } };

function looping(send: (beat: Heartbeat, at: number) => Promise<HeartbeatAnswer>) {
  const clock = new ManualClock();
  const beats: { readonly at: number; readonly beat: Heartbeat }[] = [];
  const news: HeartbeatNews[] = [];
  const loop = new HeartbeatLoop({
    beater: { node: "n1", bootId: "b", session: "s" },
    clock,
    send: (beat) => {
      beats.push({ at: clock.monotonic(), beat });
      return send(beat, clock.monotonic());
    },
    health: () => ({ health: "ok" }),
    heard: (one) => news.push(one),
  });
  return { clock, beats, news, loop };
}

describe("heartbeat loop", () => {
  test("beats at once and then in its rhythm, numbered, whoever answers", async () => {
    const { clock, beats, news, loop } = looping(() => new Promise(() => {}));
    loop.start();
    await clock.advance(5_000);
    assert.deepEqual(
      beats.map(({ at, beat }) => [at, beat.sequence]),
      [0, 1000, 2000, 3000, 4000, 5000].map((at, index) => [at, index + 1]),
    );
    assert.deepEqual(news, [], "silence says nothing");
    loop.stop();
    await clock.advance(5_000);
    assert.equal(beats.length, 6);
  });

  test("a late answer counts as of when its heartbeat was sent", async () => {
    const { clock, news, loop } = looping(async (beat) => {
      if (beat.sequence === 1) await clock.sleep(7_500);
      else return new Promise(() => {});
      return YES;
    });
    loop.start();
    await clock.advance(8_000);
    assert.deepEqual(
      news.map(({ sentAtMs, outcome }) => [sentAtMs, outcome]),
      [[0, "renewed"]],
    );
    loop.stop();
  });

  test("an answer that was overtaken by that to a later heartbeat says nothing", async () => {
    const { clock, news, loop } = looping(async (beat) => {
      if (beat.sequence === 1) await clock.sleep(1_500);
      return { ...YES, renewed: beat.sequence !== 1 };
    });
    loop.start();
    await clock.advance(1_600);
    assert.deepEqual(
      news.map(({ outcome }) => outcome),
      ["renewed"],
    );
    loop.stop();
  });

  test("a refusal is told with when the attempt began; any other failure is silence", async () => {
    const { clock, news, loop } = looping(async (beat) => {
      await clock.sleep(300);
      throw beat.sequence === 1 ? new LinkError("refused", true) : new LinkError("no route to host", false);
    });
    loop.start();
    await clock.advance(3_900);
    assert.deepEqual(news, [{ sentAtMs: 0, outcome: "refused", known: true }]);
    loop.stop();
  });

  test("takes over the rhythm it is told, and after a long stop beats once, not as often as it missed", async () => {
    const { clock, beats, loop } = looping(async () => ({ ...YES, terms: { heartbeatMs: 250 } }));
    loop.start();
    await clock.advance(2_000);
    assert.deepEqual(
      beats.slice(0, 4).map(({ at }) => at),
      [0, 1000, 1250, 1500],
    );
    loop.stop();
  });
});
