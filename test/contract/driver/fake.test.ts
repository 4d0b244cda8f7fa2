import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DriverError } from "../../../src/drivers/driver.ts";
import { FakeDriver } from "../../../src/drivers/fake/fake-driver.ts";
import { FakeMachine } from "../../../src/drivers/fake/fake-machine.ts";
import { scriptOf } from "../../../src/drivers/fake/scripted.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { driverContract } from "./driver-contract.ts";
import { makeRun } from "./make-run.ts";

driverContract("fake", async () => {
  const machine = new FakeMachine(new SystemClock());
  let last = 1;
  return {
    programs: {
      service: { image: "fake/run" },
      exits: (code, afterMs) => ({ image: `fake/exit-${code}:after-${afterMs}ms` }),
      stubborn: { image: "fake/stubborn" },
      talker: { image: "fake/talker" },
    },
    reopen: () => new FakeDriver({ machine }),
    address: () => `10.0.0.${++last}`,
    close: async () => undefined,
  };
});

describe("fake driver", () => {
  const open = () => new FakeDriver({ machine: new FakeMachine(new SystemClock()) });

  test("an image's name is its script", () => {
    assert.deepEqual(scriptOf("fake/exit-3:after-2s").ends, { afterMs: 2000, exitCode: 3, outOfMemory: false });
    assert.deepEqual(scriptOf("fake/oom:after-10ms").ends, { afterMs: 10, exitCode: 137, outOfMemory: true });
    assert.equal(scriptOf("fake/slow:after-2000ms").pullMs, 2000);
    assert.equal(scriptOf("nginx:1.25").ends, undefined);
  });

  test("a missing image cannot be pulled and a broken one cannot be started", async () => {
    await assert.rejects(open().prepare(makeRun({ image: "fake/missing" }), {}), {
      reason: "ErrImagePull",
      temporary: true,
    });
    await assert.rejects(open().start(makeRun({ image: "fake/broken" })), {
      reason: "RunContainerError",
      temporary: false,
    });
  });

  test("a host that is down reads as an error, and loses its watchers when it is back", async () => {
    const driver = open();
    const seen: unknown[] = [];
    driver.watch((change) => seen.push(change), new AbortController().signal);
    driver.machine.setDown("the power is out");
    await assert.rejects(driver.list(), DriverError);
    assert.deepEqual(await driver.describe(), { ready: false, reason: "the power is out" });
    driver.machine.setDown(undefined);
    assert.deepEqual(seen, ["lost"]);
  });
});
