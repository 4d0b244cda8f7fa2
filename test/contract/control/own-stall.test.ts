/** A process that stood still must not take its own silence for that of others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RemoteControl } from "../../../src/agent/remote/remote-control.ts";
import { Dispatcher } from "../../../src/dispatcher/dispatcher.ts";
import type { Clock, Timer } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import type { ManualClock } from "../../../src/seams/manual-clock.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { NODE, remoteStage } from "./stage.ts";
import { PERFECT, Wire } from "./wire.ts";

/** Time goes on while nothing of this process runs: its timers come late. */
class StandingClock implements Clock {
  readonly #inner: ManualClock;
  #stoodMs = 0;

  constructor(inner: ManualClock) {
    this.#inner = inner;
  }

  standStill(ms: number): void {
    this.#stoodMs += ms;
  }

  now(): number {
    return this.#inner.now() + this.#stoodMs;
  }

  monotonic(): number {
    return this.#inner.monotonic() + this.#stoodMs;
  }

  setTimer(ms: number, fn: () => void): Timer {
    return this.#inner.setTimer(ms, fn);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#inner.sleep(ms, signal);
  }
}

test("a control plane that stood still closes no link because of it", async () => {
  const { clock: inner, store, leases, random } = await remoteStage(PERFECT);
  const clock = new StandingClock(inner);
  const dispatcher = new Dispatcher({ store, clock, log: silentLog, leases });
  const wire = new Wire(inner, random, (link) => dispatcher.accept(link, { nodeName: NODE }));
  const control = new RemoteControl({ dialers: [wire], clock: inner, random, log: silentLog });
  control.watchPods(NODE, () => {}, new AbortController().signal);
  for (let times = 0; times < 10; times++) {
    await inner.advance(700);
    clock.standStill(60_000);
  }
  await inner.advance(10_000);
  assert.equal(wire.dials, 1);
  wire.cutUp = true;
  await inner.advance(30_000);
  assert.equal(dispatcher.sessions, 0, "who is really silent is noticed all the same");
  dispatcher.stop();
  control.close("over");
});

test("an agent that stood still keeps its link", async () => {
  const { clock: inner, wire } = await remoteStage(PERFECT);
  const clock = new StandingClock(inner);
  const control = new RemoteControl({ dialers: [wire], clock, random: new SeededRandom("stood"), log: silentLog });
  control.watchPods(NODE, () => {}, new AbortController().signal);
  await inner.advance(1_000);
  const before = wire.dials;
  for (let times = 0; times < 40; times++) {
    await inner.advance(500);
    clock.standStill(8_000);
  }
  assert.equal(wire.dials, before);
  control.close("over");
});
