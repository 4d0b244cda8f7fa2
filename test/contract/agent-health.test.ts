import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Agent } from "../../src/agent/agent.ts";
import { OwnHeartbeats } from "../../src/agent/heartbeat/heartbeats.ts";
import { ThreadHeartbeats } from "../../src/agent/heartbeat/thread-heartbeats.ts";
import type { Heartbeat } from "../../src/model/heartbeat.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { LinkError } from "../../src/seams/link.ts";
import { SeededRandom } from "../../src/seams/random.ts";
import { podOf, Stage, web } from "./agent-stage.ts";
import { eventually } from "./driver/observer.ts";

describe("agent: what its heartbeats say", () => {
  test("who it is: the host's boot, a session of this agent's own, counted from one", async () => {
    const stage = new Stage();
    await stage.start();
    await stage.clock.advance(2_000);
    const [first] = stage.control.beats;
    assert.deepEqual([first?.node, first?.bootId, first?.sequence, first?.health], ["n1", "boot-1", 1, "ok"]);
    await stage.agent.stop();
    stage.agent = new Agent({ ...stage.options(), random: new SeededRandom("another") });
    await stage.start();
    const last = stage.control.beats.at(-1);
    assert.notEqual(last?.session, first?.session);
    await stage.agent.stop();
  });

  test("an engine that hangs shows within 15 s, and is over when it answers", async () => {
    const stage = new Stage();
    await stage.start();
    const describe = stage.driver.describe.bind(stage.driver);
    const hang = Promise.withResolvers<{ ready: boolean }>();
    stage.driver.describe = () => hang.promise;
    await stage.clock.advance(16_000);
    assert.match(stage.control.beats.at(-1)?.message ?? "", /the Docker Engine has not answered for 1[05] s/);
    stage.driver.describe = describe;
    hang.resolve({ ready: true });
    await stage.clock.advance(2_000);
    assert.equal(stage.control.beats.at(-1)?.health, "ok");
    await stage.agent.stop();
  });

  test("a driver that was never there is not missed", async () => {
    const stage = new Stage();
    stage.unit.ready = false;
    await stage.start();
    await stage.clock.advance(30_000);
    assert.equal(stage.control.beats.at(-1)?.health, "ok");
    await stage.agent.stop();
  });

  test("a disk that hangs shows within 10 s; one write at a time waits for it", async () => {
    const stage = new Stage();
    const hang = Promise.withResolvers<void>();
    let asked = 0;
    const probeDisk = () => {
      asked++;
      return hang.promise;
    };
    stage.agent = new Agent({ ...stage.options(), probeDisk });
    await stage.start();
    await stage.clock.advance(10_000);
    assert.equal(stage.control.beats.at(-1)?.health, "io-stalled");
    assert.equal(asked, 1);
    hang.resolve();
    await stage.clock.advance(2_000);
    assert.equal(stage.control.beats.at(-1)?.health, "ok");
    await stage.agent.stop();
  });

  for (const [how, more] of [
    ["that is nearly full", { probeDisk: async () => {}, isDiskShort: async () => true }],
    ["that takes no write for want of room", { probeDisk: () => Promise.reject(noRoom()) }],
  ] as const)
    test(`a disk ${how}`, async () => {
      const stage = new Stage();
      stage.agent = new Agent({ ...stage.options(), ...more });
      await stage.start();
      await stage.clock.advance(5_000);
      assert.equal(stage.control.beats.at(-1)?.health, "disk-pressure");
      await stage.agent.stop();
    });

  test("memory that is short", async () => {
    const stage = new Stage();
    stage.agent = new Agent({ ...stage.options(), memory: () => "less than 100 MiB of memory are left" });
    await stage.start();
    await stage.clock.advance(2_000);
    assert.equal(stage.control.beats.at(-1)?.health, "memory-pressure");
    await stage.agent.stop();
  });
});

function noRoom(): Error {
  return Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
}

describe("agent: what it does when the control plane has lost sight of it", () => {
  test("registers itself again when the control plane does not know it", async () => {
    const stage = new Stage();
    await stage.start();
    const { registrations } = stage.control;
    stage.control.known = false;
    await stage.clock.advance(1_000);
    stage.control.known = true;
    await stage.clock.advance(5_000);
    assert.equal(stage.control.registrations, registrations + 1);
    await stage.agent.stop();
  });

  test("after a time without answers it asks again what is assigned, and repeats what others have written over", async () => {
    const stage = new Stage();
    await stage.start();
    const pod = await stage.run(podOf({ containers: [web()] }));
    const untouched = await stage.run(podOf({ containers: [web()] }));
    await stage.clock.advance(2_000);
    stage.control.lease = "silent";
    await stage.clock.advance(9_000);
    const status = stage.control.status(pod);
    const conditions = (status.conditions ?? []).map((condition) =>
      condition.type === "Ready" ? { ...condition, status: "False" as const, reason: "NodeLost" } : condition,
    );
    stage.control.written.set(pod.metadata.uid, { ...status, conditions });
    const told = stage.control.history.length;
    stage.control.lease = "renewed";
    await stage.clock.advance(3_000);
    const again = stage.control.history.slice(told);
    assert.deepEqual(
      again.map(({ uid }) => uid),
      [pod.metadata.uid],
      `not ${untouched.metadata.name}`,
    );
    assert.equal(stage.control.written.size, 0);
    const ready = stage.control.status(pod).conditions?.find(({ type }) => type === "Ready");
    assert.equal(ready?.status, "True");
    await stage.agent.stop();
  });

  test("while nobody hears it, it does not contradict that its pods are lost; then it does, in peace", async () => {
    const stage = new Stage();
    await stage.start();
    const pod = await stage.run(podOf({ containers: [web()] }));
    await stage.clock.advance(2_000);
    const status = stage.control.status(pod);
    const lost = { type: "Ready", status: "False", reason: "NodeLost" } as const;
    const conditions = (status.conditions ?? []).map((one) => (one.type === "Ready" ? lost : one));
    const mark = () => {
      stage.control.written.set(pod.metadata.uid, { ...status, conditions });
      stage.control.assign({ ...pod, status: { ...status, conditions } });
    };
    stage.control.lease = "silent";
    await stage.clock.advance(9_000);
    mark();
    const told = stage.control.history.length;
    await stage.clock.advance(5_000);
    assert.equal(stage.control.history.length, told);
    stage.control.lease = "renewed";
    await stage.clock.advance(2_000);
    assert.equal(stage.control.written.size, 0, "answered once it is heard");
    const before = stage.control.history.length;
    for (let n = 0; n < 30; n++) {
      mark();
      await stage.clock.advance(100);
    }
    assert(stage.control.history.length - before <= 5, `${stage.control.history.length - before} answers within 3 s`);
    await stage.clock.advance(3_000);
    assert.equal(stage.control.written.size, 0, "the last word is the agent's");
    await stage.agent.stop();
  });

  test("what waits to be tried again is tried as soon as the control plane is heard of", async () => {
    const stage = new Stage();
    await stage.start();
    const pod = await stage.run(podOf({ containers: [web()] }));
    stage.control.away = true;
    stage.driver.exit({ podUid: pod.metadata.uid, container: "web", attempt: 0 }, 1);
    await stage.clock.advance(120_000);
    stage.control.away = false;
    await stage.clock.advance(1_200);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.restartCount, 1);
    await stage.agent.stop();
  });

  test("a network that is away for 4 s asks for nothing", async () => {
    const stage = new Stage();
    let asked = 0;
    const watchPods = stage.control.watchPods.bind(stage.control);
    stage.control.watchPods = (...args) => {
      asked++;
      watchPods(...args);
    };
    await stage.start();
    stage.control.lease = "silent";
    await stage.clock.advance(4_000);
    stage.control.lease = "renewed";
    await stage.clock.advance(5_000);
    assert.equal(asked, 1);
    await stage.agent.stop();
  });
});

describe("agent: starts", () => {
  test("after a mass return they begin few at a time; the others say that they wait", async () => {
    const stage = new Stage();
    stage.agent = new Agent({ ...stage.options(), startsAtOnce: 3 });
    const start = stage.driver.start.bind(stage.driver);
    let [now, most] = [0, 0];
    stage.driver.start = async (run) => {
      most = Math.max(most, ++now);
      await stage.clock.sleep(1_000);
      now--;
      return await start(run);
    };
    await stage.start();
    const pods = Array.from({ length: 7 }, () => podOf({ containers: [web()] }));
    stage.control.assign(...pods);
    await stage.clock.advance(500);
    const words = stage.agent.pods.map(({ status }) => status.containerStatuses?.[0]?.state.waiting?.message ?? "");
    assert.equal(words.filter((text) => /waits for its turn to start/.test(text)).length, 4);
    const [, , , , leaving] = pods;
    assert(leaving);
    stage.control.remove(leaving, 0);
    await stage.clock.advance(4_000);
    assert.equal(most, 3);
    assert.equal(stage.driver.running().length, 6);
    assert.equal(stage.control.statuses.get(leaving.metadata.uid), "gone");
    await stage.agent.stop();
  });
});

describe("heartbeats from a thread of their own", () => {
  const beater = { node: "n1", bootId: "b", session: "s" };

  test("go on while the agent stands still, and say so", async (t) => {
    const beats: Heartbeat[] = [];
    const clock = new SystemClock();
    const control = {
      heartbeat: async (beat: Heartbeat) => {
        beats.push(beat);
        return { renewed: true, known: true, terms: { heartbeatMs: 50 } };
      },
    };
    const heartbeats = new ThreadHeartbeats(control, clock);
    t.after(() => heartbeats.stop());
    const heard: number[] = [];
    const begin = clock.monotonic();
    heartbeats.show({ tickAtMs: clock.monotonic() });
    heartbeats.start(beater, ({ sentAtMs }) => heard.push(sentAtMs));
    await eventually("three heartbeats", async () => beats.length >= 3 || undefined);
    assert(beats.every(({ health }) => health === "ok" || health === "memory-pressure"));
    assert(
      heard.every((ms) => ms >= begin && ms <= clock.monotonic()),
      "times are those of the agent's own clock",
    );
    heartbeats.show({ tickAtMs: clock.monotonic() - 7_000 });
    await eventually("the word", async () => beats.at(-1)?.health === "agent-stalled" || undefined);
    assert.match(beats.at(-1)?.message ?? "", /the agent has not moved for 5 s/);
    // Nothing of this thread runs now, and messages pile up: those who would send directly would have gone on.
    const until = performance.now() + 300;
    const before = beats.length;
    while (performance.now() < until);
    await eventually("what was sent meanwhile", async () => beats.length >= before + 4 || undefined);
  });

  test("a refusal reaches the agent as one", async (t) => {
    const heartbeats = new OwnHeartbeats({ heartbeat: () => Promise.reject(refused()) }, new SystemClock());
    const threaded = new ThreadHeartbeats({ heartbeat: () => Promise.reject(refused()) }, new SystemClock());
    t.after(() => {
      heartbeats.stop();
      threaded.stop();
    });
    const outcomes: string[] = [];
    heartbeats.start(beater, ({ outcome }) => outcomes.push(`own ${outcome}`));
    threaded.start(beater, ({ outcome }) => outcomes.push(`thread ${outcome}`));
    await eventually("both", async () => new Set(outcomes).size === 2 || undefined);
    assert.deepEqual([...new Set(outcomes)].toSorted(), ["own refused", "thread refused"]);
  });
});

function refused(): LinkError {
  return new LinkError("connection refused", true);
}
