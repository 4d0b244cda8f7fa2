import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeartbeatLink } from "../../../src/agent/remote/heartbeat-link.ts";
import type { Heartbeat } from "../../../src/model/heartbeat.ts";
import { type Dialer, type Link, LinkError } from "../../../src/seams/link.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { idleCoreSeconds } from "../../harness/processor.ts";
import { NODE, type RemoteStage, remoteStage } from "./stage.ts";
import { PERFECT, Wire } from "./wire.ts";

const beatOf = (sequence: number): Heartbeat => ({ node: NODE, bootId: "b", session: "s", sequence, health: "ok" });

interface Verdict {
  readonly askedAtMs: number;
  readonly settledAtMs: number;
  readonly outcome: "answered" | "refused" | "failed";
}

async function stage(seed: string | number = "beats") {
  const whole = await remoteStage(PERFECT, seed);
  const { clock, wire } = whole;
  const link = new HeartbeatLink({ dialers: [wire], clock, random: new SeededRandom(seed) });
  let sequence = 0;
  const verdicts: Verdict[] = [];
  const beat = () => {
    const askedAtMs = clock.monotonic();
    const note = (outcome: Verdict["outcome"]) => verdicts.push({ askedAtMs, settledAtMs: clock.monotonic(), outcome });
    link.send(beatOf(++sequence)).then(
      () => note("answered"),
      (error) => note(error instanceof LinkError && error.refused ? "refused" : "failed"),
    );
  };
  /** One heartbeat per second, as an agent sends them. */
  const beatFor = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      beat();
      await clock.advance(1_000);
    }
  };
  return { ...whole, link, beat, beatFor, verdicts };
}

/** When heartbeats arrived, in the control plane's time. */
function arrivals({ leases, clock }: RemoteStage): readonly number[] {
  const at: number[] = [];
  const { beat } = leases;
  leases.beat = (one) => {
    at.push(clock.monotonic());
    return beat.call(leases, one);
  };
  return at;
}

describe("the link of heartbeats", () => {
  test("one link is dialed, and every heartbeat is answered on it", async () => {
    const { beatFor, verdicts, wire, leases } = await stage();
    await beatFor(60_000);
    assert.equal(wire.dials, 1);
    assert.deepEqual(new Set(verdicts.map(({ outcome }) => outcome)), new Set(["answered"]));
    assert.deepEqual(
      leases.beats.map(({ sequence }) => sequence),
      Array.from({ length: 60 }, (_, at) => at + 1),
    );
  });

  test("where no program listens the heartbeat is refused, and says so", async () => {
    const { beat, verdicts, wire, clock } = await stage();
    wire.accept = undefined;
    beat();
    await clock.advance(100);
    assert.deepEqual(
      verdicts.map(({ outcome }) => outcome),
      ["refused"],
    );
  });

  test("a refusal counts for what was asked before the attempt began, and for nothing later", async () => {
    const { beat, verdicts, wire, clock } = await stage();
    wire.accept = undefined;
    wire.quality = { ...PERFECT, delayMs: [1_500, 1_500] };
    beat();
    await clock.advance(1_000);
    beat();
    await clock.advance(1_000);
    assert.deepEqual(
      verdicts.map(({ outcome }) => outcome),
      ["refused", "failed"],
    );
  });

  test("silence is not a refusal", async () => {
    const { beatFor, verdicts, wire } = await stage();
    wire.cutUp = true;
    await beatFor(30_000);
    assert.ok(verdicts.length > 0);
    assert.deepEqual(new Set(verdicts.map(({ outcome }) => outcome)), new Set(["failed"]));
  });

  test("with several addresses only all of them together refuse, and the first that answers is taken", async () => {
    const { clock, wire } = await stage();
    const refusing = new Wire(clock, new SeededRandom("other"), () => assert.fail("nobody is there"));
    refusing.accept = undefined;
    const silent = new Wire(clock, new SeededRandom("third"), () => assert.fail("nobody is there"));
    silent.cutUp = true;
    const outcomeOf = async (...dialers: Wire[]) => {
      const link = new HeartbeatLink({ dialers, clock, random: new SeededRandom("several") });
      const answer = link.send(beatOf(1)).then(
        () => "answered",
        (error: LinkError) => (error.refused ? "refused" : "failed"),
      );
      await clock.advance(9_000);
      link.close("over");
      return answer;
    };
    assert.equal(await outcomeOf(refusing, wire), "answered");
    assert.equal(await outcomeOf(refusing, refusing), "refused");
    assert.equal(await outcomeOf(refusing, silent), "failed");
  });

  test("a late answer still counts, and one that never comes ends after 10 s", async () => {
    const { beat, verdicts, wire, clock } = await stage();
    beat();
    await clock.advance(1_000);
    wire.quality = { ...PERFECT, delayMs: [3_000, 3_000] };
    beat();
    await clock.advance(7_000);
    assert.equal(verdicts[1]?.outcome, "answered");
    wire.cutDown = true;
    beat();
    await clock.advance(11_000);
    assert.equal(verdicts[2]?.outcome, "failed");
    assert.equal((verdicts[2]?.settledAtMs ?? 0) - (verdicts[2]?.askedAtMs ?? 0), 10_000);
  });

  for (const [what, forgets] of [
    ["the link survives it", false],
    ["the link does not survive it", true],
  ] as const) {
    test(`after a cut of 6 s the control plane hears of the node before 8 s of silence: ${what}`, async () => {
      for (let seed = 0; seed < 40; seed++) {
        const whole = await stage(seed);
        const { beatFor, wire, clock } = whole;
        const at = arrivals(whole);
        await beatFor(5_000);
        await clock.advance(seed * 25);
        const cut = clock.setTimer(300, () => {
          wire.cutUp = true;
          wire.cutDown = true;
          if (forgets) wire.forgetLinks();
          clock.setTimer(6_000, () => wire.heal());
        });
        await beatFor(20_000);
        cut.cancel();
        const moments = [...at, clock.monotonic()];
        const longest = Math.max(...moments.slice(1).map((ms, index) => ms - (moments[index] ?? 0)));
        assert.ok(longest < 8_000, `seed ${seed}: silent for ${longest} ms`);
      }
    });
  }

  test("while the control plane does not run, refusals come often enough that nothing exclusive is stopped", async () => {
    const { beatFor, verdicts, crash } = await stage();
    await beatFor(5_000);
    crash();
    await beatFor(120_000);
    const refused = verdicts.filter(({ outcome }) => outcome === "refused").map(({ askedAtMs }) => askedAtMs);
    const pauses = refused.slice(1).map((ms, at) => ms - (refused[at] ?? 0));
    assert.ok(Math.max(...pauses) <= 7_000, `longest time without a refusal: ${Math.max(...pauses)} ms`);
  });

  test("it comes back by itself after an hour", async () => {
    const { beatFor, verdicts, crash, restart, clock } = await stage();
    await beatFor(5_000);
    crash();
    await beatFor(3_600_000);
    restart();
    const backAt = clock.monotonic();
    await beatFor(30_000);
    const first = verdicts.find(({ askedAtMs, outcome }) => askedAtMs >= backAt && outcome === "answered");
    assert.ok(first && first.settledAtMs - backAt <= 7_000, "not back within 7 s");
  });

  test("a heartbeat costs both sides together at most 15 µs of processor time", async () => {
    const { clock, leases, dispatcher } = await stage();
    // Without a network in between.
    const dial: Dialer["dial"] = async (listener) => {
      const down: Link = { send: (frame) => listener.frame(frame), close: () => {} };
      const up = dispatcher().accept(down, { nodeName: NODE });
      return { send: (frame) => up.frame(frame), close: () => {} };
    };
    const link = new HeartbeatLink({ dialers: [{ dial }], clock, random: new SeededRandom("cost") });
    const beats = 20_000;
    leases.beat = () => leases.answer;
    const seconds = await idleCoreSeconds(async () => {
      for (let at = 0; at < beats; at++) {
        // Time for them: more than a node may say is not answered.
        if (at % 400 === 0) await clock.advance(5_000);
        await link.send(beatOf(at));
      }
    });
    const microseconds = (seconds * 1e6) / beats;
    assert.ok(microseconds <= 15, `${microseconds} µs`);
  });

  test("closed from this side, what waits is rejected and no timer is left", async () => {
    const { beat, verdicts, wire, clock, link } = await stage();
    wire.cutUp = true;
    beat();
    link.close("the agent ends");
    await clock.advance(20_000);
    assert.deepEqual(
      verdicts.map(({ outcome }) => outcome),
      ["failed"],
    );
    await assert.rejects(link.send(beatOf(2)), /closed/);
    assert.equal(clock.timers, 0);
  });
});
