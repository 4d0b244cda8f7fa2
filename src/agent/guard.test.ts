import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Driver, DriverError, type RunRef } from "../drivers/driver.ts";
import type { DriverName } from "../model/pod.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import type { Lease } from "./fence.ts";
import { Guard } from "./guard.ts";

const TERMS = { heartbeatMs: 1_000, exclusiveMs: 40_000 };
const RUN: RunRef = { podUid: "u", container: "main", attempt: 0 };

interface Call {
  readonly driver: DriverName;
  readonly refs: readonly RunRef[];
  readonly forMs: number;
}

function guarded(lease: Lease | undefined = { sentAtMs: 0, terms: TERMS }) {
  const clock = new ManualClock();
  const calls: Call[] = [];
  const failures: DriverError[] = [];
  const runs: { readonly driver: DriverName; readonly ref: RunRef }[] = [];
  const driver = (name: DriverName) =>
    ({
      name,
      guard: (refs: readonly RunRef[], forMs: number) => {
        calls.push({ driver: name, refs, forMs });
        const failure = failures.shift();
        return failure ? Promise.reject(failure) : Promise.resolve();
      },
    }) as unknown as Driver;
  const drivers = new Map((["docker", "unit"] as const).map((name) => [name, driver(name)]));
  const cannot: string[] = [];
  const host = {
    ...{ clock, log: silentLog, drivers },
    exclusiveRuns: () => runs,
    lease: () => lease,
    cannot: (words: string) => void cannot.push(words),
  };
  return { clock, calls, failures, runs, cannot, guard: new Guard(host) };
}

describe("the guard of exclusive runs", () => {
  test("watches over a run before it is started, for four fifths of the time since the last heartbeat", async () => {
    const { clock, calls, runs, guard } = guarded();
    await clock.advance(2_000);
    runs.push({ driver: "docker", ref: RUN });
    await guard.cover("docker");
    assert.deepEqual(calls, [{ driver: "docker", refs: [RUN], forMs: 30_000 }]);
  });

  test("a run that cannot be watched over now is not to be started now", async () => {
    const { calls, failures, runs, guard } = guarded();
    runs.push({ driver: "docker", ref: RUN });
    failures.push(new DriverError("the keeper does not answer", { temporary: true, reason: "KeeperAway" }));
    await assert.rejects(guard.cover("docker"), /does not answer/);
    await guard.cover("docker");
    assert.equal(calls.length, 2);
  });

  test("ends once what an agent before this one has left, with every driver, as none of that may run any more", async () => {
    const { clock, calls, guard } = guarded();
    guard.renew();
    await clock.settle();
    assert.deepEqual(
      calls.map(({ driver, refs }) => [driver, refs.length]),
      [
        ["docker", 0],
        ["unit", 0],
      ],
    );
    await clock.advance(5_000);
    guard.renew();
    await clock.settle();
    assert.equal(calls.length, 2, "once");
  });

  test("has nothing to do where nothing is ever given away", async () => {
    const { clock, calls, runs, guard } = guarded({ sentAtMs: 0, terms: { heartbeatMs: 1_000 } });
    runs.push({ driver: "docker", ref: RUN });
    guard.renew();
    await guard.cover("docker");
    await clock.settle();
    assert.deepEqual(calls, []);
  });
});
