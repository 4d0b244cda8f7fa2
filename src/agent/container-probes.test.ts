import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Container } from "../model/pod.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import type { CheckTarget } from "./check-runner.ts";
import { ContainerProbes } from "./container-probes.ts";
import { TimerHeap } from "./timer-heap.ts";

const verdictOf = (container: Partial<Container>, known?: { started: boolean; ready: boolean }) => {
  const clock = new ManualClock();
  const host = {
    ...{ clock, random: new SeededRandom(1), timers: new TimerHeap(clock) },
    changed: () => undefined,
    unhealthy: () => undefined,
  };
  const target = { container: { name: "c", ...container } } as CheckTarget;
  return new ContainerProbes(target, host, 0, known).verdict;
};

describe("probes of an adopted run", () => {
  const readinessProbe = { tcpSocket: { port: 80 } };

  test("what nobody probes is ready, also when the record is from the moment of its start", () => {
    assert.deepEqual(verdictOf({}, { started: false, ready: false }), { started: true, ready: true });
  });

  test("a probe's last word is kept", () => {
    assert.deepEqual(verdictOf({ readinessProbe }, { started: true, ready: true }), { started: true, ready: true });
    assert.deepEqual(verdictOf({ readinessProbe }, { started: true, ready: false }), { started: true, ready: false });
    assert.deepEqual(verdictOf({ startupProbe: readinessProbe }, { started: false, ready: false }), {
      started: false,
      ready: false,
    });
  });
});
