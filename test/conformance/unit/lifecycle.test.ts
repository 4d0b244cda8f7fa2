import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { UnitBench, unitRef } from "./unit-bench.ts";

describe("a unit on a real keeper", () => {
  let bench: UnitBench;
  before(() => {
    bench = new UnitBench();
  });
  after(() => bench.close());

  test("a simple service runs, writes to its log, and ends well by SIGTERM", async () => {
    bench.history.length = 0;
    await bench.start("hello.service", '[Service]\nExecStart=/bin/sh -c "echo Hello, World; exec sleep 1000"\n');
    const run = await bench.until("hello.service", "active/running");
    assert.deepEqual(run.unit, { load: "loaded", active: "active", sub: "running", result: "success" });
    assert.equal(run.state, "running");
    await bench.driver.stop(unitRef("hello.service"), { graceMs: 5000 });
    const ended = await bench.observed("hello.service");
    assert.equal(ended.state, "exited");
    assert.equal(ended.exitCode, 0);
    assert.equal(await bench.output("hello.service"), "Hello, World\n");
    assert.deepEqual(bench.history, ["active/running", "deactivating/stop-sigterm", "inactive/dead"]);
    await bench.driver.remove(unitRef("hello.service"));
    await bench.driver.release(unitRef("hello.service").podUid);
    assert.deepEqual(await bench.driver.pods(), []);
    assert(!bench.tree.exists(unitRef("hello.service").podUid), "its cgroup is left behind");
  });

  test("every kind of command runs, in systemd's order", async () => {
    const file = bench.path("order");
    const say = (word: string) => `/bin/sh -c "echo ${word} $MAINPID >> ${file}"`;
    bench.history.length = 0;
    await bench.start(
      "order.service",
      `[Service]\nExecStartPre=${say("pre1")}\nExecStartPre=${say("pre2")}\nExecStart=/bin/sleep 1000\n` +
        `ExecStartPost=/bin/sh -c "test -n \\"$MAINPID\\" && echo post >> ${file}"\n` +
        `ExecStop=/bin/sh -c "kill -0 $MAINPID && echo stop >> ${file}"\n` +
        `ExecStopPost=/bin/sh -c "echo post $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS >> ${file}"\n`,
    );
    await bench.until("order.service", "active/running");
    await bench.driver.stop(unitRef("order.service"), { graceMs: 5000 });
    const lines = readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.trim());
    assert.deepEqual(lines, ["pre1", "pre2", "post", "stop", "post success killed TERM", ""]);
    assert.deepEqual(bench.history, [
      "activating/start-pre",
      "activating/start-post",
      "active/running",
      "deactivating/stop",
      "deactivating/stop-sigterm",
      "deactivating/stop-post",
      "inactive/dead",
    ]);
    await bench.driver.remove(unitRef("order.service"));
    assert(existsSync(file));
  });
});
