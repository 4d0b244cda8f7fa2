import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { cannotKeepProcesses } from "../../contract/keeper/node-place.ts";
import { UnitBench, unitRef, words } from "./unit-bench.ts";

describe("units that depend on each other", { skip: cannotKeepProcesses() ?? false }, () => {
  let bench: UnitBench;
  before(() => {
    bench = new UnitBench();
  });
  after(() => bench.close());

  const sleeper = (unit: string) => `[Unit]\n${unit}\n[Service]\nExecStart=/bin/sleep 1000\n`;

  test("BindsTo=: when the other is stopped or dies, it is stopped", async () => {
    for (const how of ["stop", "kill"]) {
      await bench.start(`web-${how}.service`, sleeper(""));
      await bench.start(`announce-${how}.service`, sleeper(`BindsTo=web-${how}.service\nAfter=docker.service`));
      await bench.until(`announce-${how}.service`, "active/running");
      if (how === "stop") await bench.driver.stop(unitRef("web-stop.service"), { graceMs: 1000 });
      else for (const pid of bench.pids("web-kill.service")) process.kill(pid, 9);
      const run = await bench.until(`announce-${how}.service`, "inactive/dead");
      assert.deepEqual([run.state, run.exitCode], ["exited", 0]);
    }
  });

  test("PartOf= and Requires=: stopped with it, but not by its crash", async () => {
    await bench.start("base.service", sleeper(""));
    await bench.start("part.service", sleeper("PartOf=base.service"));
    await bench.start("needs.service", sleeper("Requires=base.service"));
    await bench.until("needs.service", "active/running");
    await bench.driver.stop(unitRef("base.service"), { graceMs: 1000 });
    await bench.until("part.service", "inactive/dead");
    await bench.until("needs.service", "inactive/dead");
    await bench.start("crashes.service", sleeper(""));
    await bench.start("stays.service", sleeper("Requires=crashes.service"));
    await bench.until("stays.service", "active/running");
    for (const pid of bench.pids("crashes.service")) process.kill(pid, 9);
    await bench.until("crashes.service", "failed/failed");
    assert.equal(words(await bench.observed("stays.service")), "active/running");
  });

  test("a restart of one by its own Restart= restarts what is bound to it", async () => {
    await bench.start("flaky.service", "[Service]\nExecStart=/bin/sleep 1000\nRestart=always\nRestartSec=0\n");
    await bench.start("sidekick.service", sleeper("BindsTo=flaky.service"));
    await bench.until("sidekick.service", "active/running");
    const [before] = bench.pids("sidekick.service");
    for (const pid of bench.pids("flaky.service")) process.kill(pid, 9);
    await bench.untilSeen("sidekick.service", "running with another process", ({ unit, state }) => {
      assert.equal(state, "running");
      const [now] = bench.pids("sidekick.service");
      return unit?.sub === "running" && now !== undefined && now !== before;
    });
  });

  test("Requires= and WantedBy= pull in what is loaded; the pod of a pulled unit does not count it as run", async () => {
    await bench.start("db.service", sleeper(""), { load: true });
    await bench.start("agent.service", `${sleeper("")}[Install]\nWantedBy=app.service\n`, { load: true });
    await bench.start("app.service", sleeper("Requires=db.service"));
    const db = await bench.until("db.service", "active/running");
    assert.equal(db.state, "created");
    await bench.until("agent.service", "active/running");
  });

  test("Conflicts= stops the other", async () => {
    await bench.start("blue.service", sleeper(""));
    await bench.until("blue.service", "active/running");
    await bench.start("green.service", sleeper("Conflicts=blue.service"));
    await bench.until("blue.service", "inactive/dead");
    await bench.until("green.service", "active/running");
  });

  test("After=: it waits until the other's start is done, and says so", async () => {
    const file = bench.path("ready");
    await bench.start(
      "first.service",
      `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "sleep 0.4; touch ${file}"\n`,
    );
    const waiting = await bench.start(
      "second.service",
      `[Unit]\nAfter=first.service\n[Service]\nExecStart=/bin/sh -c "test -e ${file} && exec sleep 1000"\n`,
    );
    assert.deepEqual(
      [waiting.state, waiting.message],
      ["running", "waits for first.service, which it is to start after"],
    );
    assert(!existsSync(file));
    await bench.until("second.service", "active/running");
    assert(existsSync(file));
  });
});
