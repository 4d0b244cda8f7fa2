import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Keeper, ProcessSpec } from "../../../src/drivers/keeper/keeper.ts";
import { readHost } from "../../../src/drivers/unit/host.ts";
import { cannotKeepProcesses } from "../../contract/keeper/node-place.ts";
import { UnitBench, unitRef, unitRun } from "./unit-bench.ts";

describe("units whose styr is gone for a while", { skip: cannotKeepProcesses() ?? false }, () => {
  let bench: UnitBench;
  before(() => {
    bench = new UnitBench();
  });
  after(() => bench.close());

  const lines = (file: string) => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []);
  const until = async (what: string, holds: () => boolean) => {
    const deadline = performance.now() + 10_000;
    while (!holds()) {
      if (performance.now() > deadline) assert.fail(`never: ${what}`);
      await delay(10);
    }
  };

  test("what runs is adopted, with the same processes and the same start", async () => {
    await bench.start("adopt.service", "[Service]\nExecStart=/bin/sleep 1000\n");
    const first = await bench.until("adopt.service", "active/running");
    const pids = bench.pids("adopt.service");
    bench.replaceDriver();
    const again = await bench.observed("adopt.service");
    assert.deepEqual(again, first);
    assert.deepEqual(bench.pids("adopt.service"), pids);
    await bench.driver.stop(unitRef("adopt.service"), { graceMs: 1000 });
  });

  test("in the middle of ExecStartPre= it goes on with the next command, and runs none twice", async () => {
    const file = bench.path("middle");
    const say = (word: string) => `/bin/sh -c "echo ${word} >> ${file}; sleep 0.4"`;
    await bench.start(
      "middle.service",
      `[Service]\nExecStartPre=${say("one")}\nExecStartPre=${say("two")}\nExecStart=/bin/sh -c "echo main >> ${file}; exec sleep 1000"\n`,
    );
    await until("the first command has begun", () => lines(file).length === 1);
    bench.replaceDriver();
    await bench.until("middle.service", "active/running");
    await until("the main process has begun", () => lines(file).length === 3);
    assert.deepEqual(lines(file), ["one", "two", "main"]);
  });

  test("a command that ended meanwhile is caught up with", async () => {
    const file = bench.path("meanwhile");
    await bench.start(
      "meanwhile.service",
      `[Service]\nExecStartPre=/bin/sh -c "sleep 0.3; echo pre >> ${file}; exit 3"\nExecStart=/bin/touch ${file}.main\nExecStopPost=/bin/sh -c "echo $SERVICE_RESULT >> ${file}"\n`,
    );
    bench.driver.close();
    await until(
      "the command has ended",
      () => lines(file).length === 1 && bench.pids("meanwhile.service").length === 0,
    );
    bench.replaceDriver();
    const run = await bench.until("meanwhile.service", "failed/failed");
    assert.equal(run.exitCode, 3);
    assert.deepEqual(lines(file), ["pre", "exit-code"]);
    assert(!existsSync(`${file}.main`));
  });

  test("a command that was begun is not begun again, when its end is heard before it is asked for", async () => {
    const file = bench.path("twice");
    const say = (word: string) => `/bin/sh -c "echo ${word} >> ${file}; sleep 0.4"`;
    /** The bench's keeper, but for how a start is answered. */
    const keeperWith = (spawn: Keeper["spawn"]): Keeper =>
      new Proxy<Keeper>(bench.keeper, {
        get: (target, name) => {
          const value: unknown = name === "spawn" ? spawn : Reflect.get(target, name);
          return typeof value === "function" && name !== "spawn" ? value.bind(target) : value;
        },
      });
    const isPost = (spec: ProcessSpec) => JSON.stringify(spec).includes("echo post");
    bench.replaceDriver({
      keeper: keeperWith(async (spec) => {
        const info = await bench.keeper.spawn(spec);
        return isPost(spec) ? new Promise(() => undefined) : info;
      }),
    });
    const text = `[Service]\nExecStart=/bin/sh -c "echo main >> ${file}; exec sleep 1000"\nExecStartPost=${say("post")}\n`;
    void bench.start("twice.service", text).catch(() => undefined);
    await until("both have begun", () => lines(file).length === 2);
    bench.replaceDriver({
      keeper: keeperWith(async (spec) => {
        if (isPost(spec)) await delay(800);
        return bench.keeper.spawn(spec);
      }),
    });
    await bench.until("twice.service", "active/running");
    await delay(1200);
    assert.deepEqual(lines(file).toSorted(), ["main", "post"]);
  });

  test("a main process that died meanwhile is restarted by Restart=", async () => {
    await bench.start("died.service", "[Service]\nExecStart=/bin/sleep 1000\nRestart=always\nRestartSec=0\n");
    await bench.until("died.service", "active/running");
    const [pid = 0] = bench.pids("died.service");
    bench.driver.close();
    process.kill(pid, 9);
    await until("it is gone", () => !bench.pids("died.service").includes(pid));
    bench.replaceDriver();
    await bench.untilSeen("died.service", "running with another process", ({ unit }) => {
      const pids = bench.pids("died.service");
      return unit?.sub === "running" && pids.length === 1 && !pids.includes(pid);
    });
  });

  test("a stop goes on, and TimeoutStopSec counts from when it began", async () => {
    await bench.start(
      "stopping.service",
      `[Service]\nTimeoutStopSec=700ms\nExecStart=/bin/sh -c "trap '' TERM; while :; do sleep 0.05; done"\n`,
    );
    await bench.until("stopping.service", "active/running");
    const begin = performance.now();
    void bench.driver.stop(unitRef("stopping.service"), { graceMs: 60_000 }).catch(() => undefined);
    await bench.until("stopping.service", "deactivating/stop-sigterm");
    await delay(300);
    bench.replaceDriver();
    await bench.until("stopping.service", "failed/failed");
    assert(performance.now() - begin < 1500, "the time began anew");
  });

  test("a start limit is not forgotten", async () => {
    await bench.start("limit.service", "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=150ms\n");
    await until("it has restarted", () => bench.history.includes("activating/auto-restart"));
    bench.replaceDriver();
    const run = await bench.until("limit.service", "failed/failed");
    assert.equal(run.unit?.result, "start-limit-hit");
  });

  test("after a restart of the host nothing of it runs, and nobody saw how it ended", async () => {
    await bench.start("reboot.service", "[Service]\nExecStart=/bin/sleep 1000\n");
    await bench.until("reboot.service", "active/running");
    bench.replaceDriver({ host: { ...readHost(), bootId: "another" } });
    const run = await bench.observed("reboot.service");
    assert.deepEqual([run.state, run.exitCode, run.unit?.sub], ["exited", undefined, "dead"]);
    assert.match(run.message ?? "", /host was restarted/);
  });

  test("kill -9 at any moment of a start leads to the same unit", { timeout: 120_000 }, async () => {
    const program = fileURLToPath(new URL("styr-process.ts", import.meta.url));
    for (let round = 0; round < 12; round++) {
      const name = `killed-${round}.service`;
      const file = bench.path(name);
      const say = (word: string) => `/bin/sh -c "echo ${word} >> ${file}"`;
      const text = `[Service]\nExecStartPre=${say("one")}\nExecStartPre=${say("two")}\nExecStart=/bin/sh -c "echo main >> ${file}; exec sleep 1000"\nExecStartPost=${say("post")}\n`;
      const run = unitRun(name, text);
      const folder = join(bench.dir, `units-${round}`);
      const child = spawn(
        process.execPath,
        [program, folder, join(bench.dir, "keeper"), bench.tree.root, JSON.stringify(run)],
        {
          stdio: ["ignore", "ignore", "inherit"],
        },
      );
      const closed = once(child, "close");
      await until("it has begun", () => existsSync(join(folder, run.ref.podUid, "main", "0", "run.json")));
      // Earlier or later in the start each time.
      await delay(round * 3);
      child.kill("SIGKILL");
      await closed;
      bench.replaceDriver({ stateDir: folder });
      await bench.until(name, "active/running");
      await until("all commands have run", () => lines(file).length >= 4);
      assert.deepEqual(lines(file).toSorted(), ["main", "one", "post", "two"], `round ${round}`);
      await bench.driver.remove(unitRef(name));
      writeFileSync(file, "");
    }
  });
});
