import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SimFailure } from "./contract.ts";
import { HostTime, ProcessClock } from "./sim-clock.ts";
import { Life, SimTime } from "./sim-time.ts";

function stage() {
  const time = new SimTime();
  const host = new HostTime(time, 5_000, 0);
  const life = new Life("a program");
  return { time, host, life, clock: new ProcessClock(host, life), said: [] as string[] };
}

describe("virtual time", () => {
  test("timers fire in order of their deadlines, equal ones as they were set, and what one sets in motion comes before the next", async () => {
    const { time, clock, said } = stage();
    clock.setTimer(20, () => said.push("20"));
    clock.setTimer(10, () => {
      said.push("10");
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => said.push("what 10 set in motion"));
    });
    clock.setTimer(10, () => said.push("10 again"));
    await time.run(15);
    assert.deepEqual(said, ["10", "what 10 set in motion", "10 again"]);
    assert.equal(time.nowMs, 15);
    await time.run(5);
    assert.equal(said.at(-1), "20");
  });

  test("a timer is never early by its own clock, whatever the drift", async () => {
    for (const ppm of [0, 37, -37, 500, -500, 123_456]) {
      const { time, host, clock } = stage();
      host.setDrift(ppm);
      const began = clock.monotonic();
      await time.drive(clock.sleep(1_000));
      const took = clock.monotonic() - began;
      assert.ok(took >= 1_000 && took < 1_001, `${ppm} ppm: took ${took}`);
    }
  });

  test("a clock that runs fast is ahead after an hour, and its monotonic time does not jump when the drift changes", async () => {
    const { time, host, clock } = stage();
    const began = clock.monotonic();
    host.setDrift(1_000);
    assert.equal(clock.monotonic(), began);
    await time.run(3_600_000);
    assert.ok(Math.abs(clock.monotonic() - began - 3_603_600) < 1, String(clock.monotonic() - began));
  });

  test("the wall clock jumps, the monotonic one does not", () => {
    const { host, clock } = stage();
    const [wall, mono] = [clock.now(), clock.monotonic()];
    host.jumpWall(-60_000);
    assert.equal(clock.now() - wall, -60_000);
    assert.equal(clock.monotonic(), mono);
  });

  test("what is due while a host stands still comes after it, in order, and cancelled timers do not", async () => {
    const { time, host, clock, said } = stage();
    clock.setTimer(30, () => said.push("30"));
    const cancelled = clock.setTimer(25, () => said.push("25"));
    clock.setTimer(20, () => {
      said.push("20");
      cancelled.cancel();
    });
    host.freeze(100);
    await time.run(99);
    assert.deepEqual(said, []);
    await time.run(1);
    assert.deepEqual(said, ["20", "30"]);
  });

  test("after a process has ended its timers never fire and its sleeps never end", async () => {
    const { time, life, clock, said } = stage();
    clock.setTimer(10, () => said.push("timer"));
    void clock.sleep(10).then(() => said.push("sleep"));
    const aborting = new AbortController();
    clock.sleep(50, aborting.signal).catch(() => said.push("aborted"));
    life.end();
    aborting.abort(new Error("over"));
    await time.run(100);
    assert.deepEqual(said, []);
  });

  test("what a timer throws would have ended the program: the run fails with its name", async () => {
    const { time, clock } = stage();
    clock.setTimer(5, () => {
      throw new Error("a bug");
    });
    await assert.rejects(
      time.run(10),
      (error: Error) =>
        error instanceof SimFailure && error.rule === "uncaught" && /a program.*a bug/.test(error.message),
    );
  });

  test("waiting for what can never come is a deadlock, not a run that hangs", async () => {
    const { time } = stage();
    await assert.rejects(time.drive(new Promise(() => {})), /nothing will ever happen/);
  });
});
