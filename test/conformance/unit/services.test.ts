import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { cannotKeepProcesses } from "../../contract/keeper/node-place.ts";
import { podUid, UnitBench, unitRef } from "./unit-bench.ts";

describe("units on a real keeper", { skip: cannotKeepProcesses() ?? false }, () => {
  let bench: UnitBench;
  before(() => {
    bench = new UnitBench({ dockerHost: "unix:///run/engine.sock" });
  });
  after(() => bench.close());

  const lines = (file: string) => readFileSync(file, "utf8").trim().split("\n");
  const script = (name: string, text: string): string => {
    const file = bench.path(name);
    writeFileSync(file, `#!/bin/sh\n${text}\n`);
    chmodSync(file, 0o755);
    return file;
  };

  test("a crash loop is restarted after RestartSec until the start limit, and says why", async () => {
    bench.history.length = 0;
    const begin = performance.now();
    await bench.start(
      "crash.service",
      '[Service]\nExecStart=/bin/sh -c "echo out of luck >&2; exit 3"\nRestart=on-failure\nRestartSec=50ms\n',
    );
    const run = await bench.until("crash.service", "failed/failed");
    assert.deepEqual(run.unit, { load: "loaded", active: "failed", sub: "failed", result: "start-limit-hit" });
    assert.equal(run.state, "exited");
    assert.match(
      run.message ?? "",
      /^start-limit-hit: started 5 times within 10 s: .*exited with code 3: out of luck$/,
    );
    assert.equal(await bench.output("crash.service"), "out of luck\n".repeat(5));
    assert.equal(bench.history.filter((state) => state === "activating/auto-restart").length, 5);
    assert(performance.now() - begin >= 250, "RestartSec was not waited for");
  });

  test("Restart=always brings back what ended well; a stop does not", async () => {
    const file = bench.path("always");
    await bench.start(
      "always.service",
      `[Service]\nExecStart=/bin/sh -c "echo run >> ${file}; test $(wc -l < ${file}) -lt 3 || exec sleep 1000"\nRestart=always\nRestartSec=0\n`,
    );
    await bench.untilSeen(
      "always.service",
      "running for the third time",
      () => existsSync(file) && lines(file).length === 3,
    );
    await bench.until("always.service", "active/running");
    await bench.driver.stop(unitRef("always.service"), { graceMs: 1000 });
    assert.equal((await bench.observed("always.service")).state, "exited");
    assert.equal(lines(file).length, 3);
  });

  test("a oneshot runs its commands one after another and is exited with RemainAfterExit, until it is stopped", async () => {
    const file = bench.path("oneshot");
    bench.history.length = 0;
    await bench.start(
      "oneshot.service",
      `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "sleep 0.2; echo one >> ${file}"\n` +
        `ExecStart=-/bin/false\nExecStart=/bin/sh -c "echo three >> ${file}"\nExecStop=/bin/sh -c "echo stopped >> ${file}"\n`,
    );
    assert.equal((await bench.observed("oneshot.service")).unit?.sub, "start");
    const run = await bench.until("oneshot.service", "active/exited");
    assert.equal(run.state, "running");
    assert.deepEqual(lines(file), ["one", "three"]);
    await bench.driver.stop(unitRef("oneshot.service"), { graceMs: 1000 });
    assert.deepEqual(lines(file), ["one", "three", "stopped"]);
    assert.equal((await bench.observed("oneshot.service")).exitCode, 0);
    assert.deepEqual(bench.history, ["activating/start", "active/exited", "deactivating/stop", "inactive/dead"]);
  });

  test("a oneshot stops at its first failure", async () => {
    const file = bench.path("oneshot-fails");
    await bench.start(
      "oneshot-fails.service",
      `[Service]\nType=oneshot\nExecStart=/bin/sh -c "exit 7"\nExecStart=/bin/touch ${file}\n`,
    );
    const run = await bench.until("oneshot-fails.service", "failed/failed");
    assert.equal(run.exitCode, 7);
    assert(!existsSync(file), "the second command ran");
  });

  test("a failing ExecStartPre= keeps ExecStart= from running, and ExecStopPost= still runs", async () => {
    const file = bench.path("pre-fails");
    await bench.start(
      "pre-fails.service",
      `[Service]\nExecStartPre=/bin/sh -c "echo no image >&2; exit 4"\nExecStart=/bin/touch ${file}.start\n` +
        `ExecStop=/bin/touch ${file}.stop\nExecStopPost=/bin/sh -c "echo $SERVICE_RESULT > ${file}"\n`,
    );
    const run = await bench.until("pre-fails.service", "failed/failed");
    assert.equal(run.exitCode, 4);
    assert.match(run.message ?? "", /^exit-code: ExecStartPre=.* exited with code 4: no image$/);
    assert.deepEqual(lines(file), ["exit-code"]);
    assert(!existsSync(`${file}.start`) && !existsSync(`${file}.stop`), "ExecStart= or ExecStop= ran");
  });

  test("a dash makes failures count as success, also of a program that is not there", async () => {
    await bench.start(
      "dash.service",
      "[Service]\nExecStartPre=-/bin/false\nExecStartPre=-/does/not/exist\nExecStart=/bin/sleep 1000\n",
    );
    await bench.until("dash.service", "active/running");
    await bench.driver.stop(unitRef("dash.service"), { graceMs: 1000 });
  });

  test("a program that is not there is 203, an unknown user 217", async () => {
    await bench.start("no-program.service", "[Service]\nExecStart=/does/not/exist --now\n");
    const missing = await bench.until("no-program.service", "failed/failed");
    assert.equal(missing.exitCode, 203);
    assert.match(missing.message ?? "", /\/does\/not\/exist/);
    await bench.start("no-user.service", "[Service]\nUser=nobody-knows\nExecStart=/bin/true\n");
    const unknown = await bench.until("no-user.service", "failed/failed");
    assert.equal(unknown.exitCode, 217);
    assert.match(unknown.message ?? "", /nobody-knows/);
  });

  test("a start that takes longer than TimeoutStartSec fails with timeout", async () => {
    await bench.start(
      "slow.service",
      "[Service]\nTimeoutStartSec=300ms\nExecStartPre=/bin/sleep 1000\nExecStart=/bin/sleep 1000\n",
    );
    const run = await bench.until("slow.service", "failed/failed");
    assert.equal(run.unit?.result, "timeout");
    assert.match(run.message ?? "", /longer than 0.3 s/);
    assert.deepEqual(bench.pids("slow.service"), []);
  });

  test("a process that ignores SIGTERM is killed after TimeoutStopSec", async () => {
    bench.history.length = 0;
    await bench.start(
      "stubborn.service",
      `[Service]\nTimeoutStopSec=300ms\nExecStart=/bin/sh -c "trap '' TERM; while :; do sleep 1; done"\n`,
    );
    await bench.until("stubborn.service", "active/running");
    await bench.driver.stop(unitRef("stubborn.service"), { graceMs: 60_000 });
    const run = await bench.observed("stubborn.service");
    assert.equal(run.unit?.result, "timeout");
    assert.deepEqual(bench.history.slice(0, 3), [
      "active/running",
      "deactivating/stop-sigterm",
      "deactivating/stop-sigkill",
    ]);
  });

  describe("KillMode", () => {
    const family = (file: string) =>
      `/bin/sh -c "(trap 'echo child >> ${file}; exit' TERM; while :; do sleep 0.05; done) & trap 'echo main >> ${file}; exit' TERM; while :; do sleep 0.05; done"`;

    test("control-group asks every process", async () => {
      const file = bench.path("kill-group");
      await bench.start("kill-group.service", `[Service]\nExecStart=${family(file)}\n`);
      await bench.until("kill-group.service", "active/running");
      await bench.untilSeen("kill-group.service", "two processes", () => bench.pids("kill-group.service").length >= 3);
      await bench.driver.stop(unitRef("kill-group.service"), { graceMs: 5000 });
      assert.deepEqual(lines(file).toSorted(), ["child", "main"]);
      assert.deepEqual(bench.pids("kill-group.service"), []);
    });

    test("mixed asks the main process and kills the rest", async () => {
      const file = bench.path("kill-mixed");
      await bench.start("kill-mixed.service", `[Service]\nKillMode=mixed\nExecStart=${family(file)}\n`);
      await bench.untilSeen("kill-mixed.service", "two processes", () => bench.pids("kill-mixed.service").length >= 3);
      await bench.driver.stop(unitRef("kill-mixed.service"), { graceMs: 5000 });
      assert.deepEqual(lines(file), ["main"]);
      assert.deepEqual(bench.pids("kill-mixed.service"), []);
    });

    test("process leaves the rest running, and removal takes it away", async () => {
      const file = bench.path("kill-process");
      await bench.start("kill-process.service", `[Service]\nKillMode=process\nExecStart=${family(file)}\n`);
      await bench.untilSeen(
        "kill-process.service",
        "two processes",
        () => bench.pids("kill-process.service").length >= 3,
      );
      await bench.driver.stop(unitRef("kill-process.service"), { graceMs: 5000 });
      assert.deepEqual(lines(file), ["main"]);
      assert.notDeepEqual(bench.pids("kill-process.service"), []);
      await bench.driver.remove(unitRef("kill-process.service"));
      assert.deepEqual(bench.pids("kill-process.service"), []);
    });

    test("none signals nobody: ExecStop= has to do it", async () => {
      await bench.start(
        "kill-none.service",
        "[Service]\nKillMode=none\nExecStart=/bin/sleep 1000\nExecStop=/bin/true\n",
      );
      await bench.until("kill-none.service", "active/running");
      await bench.driver.stop(unitRef("kill-none.service"), { graceMs: 5000 });
      assert.equal((await bench.observed("kill-none.service")).unit?.sub, "dead");
      assert.equal(bench.pids("kill-none.service").length, 1);
    });
  });

  describe("Type=forking", () => {
    const daemon = (pidFile: string) => `(sleep 1000 & echo $! > ${pidFile}; exec sleep 1000) & sleep 0.2`;

    test("the PID file says which process it is, and its end is seen", async () => {
      const pidFile = bench.path("forking.pid");
      const start = script("forking", daemon(pidFile));
      await bench.start("forking.service", `[Service]\nType=forking\nPIDFile=${pidFile}\nExecStart=${start}\n`);
      const run = await bench.until("forking.service", "active/running");
      assert.equal(run.state, "running");
      process.kill(Number(readFileSync(pidFile, "utf8")), 9);
      const ended = await bench.until("forking.service", "failed/failed");
      assert.equal(ended.exitCode, undefined);
      assert.match(ended.message ?? "", /nobody saw how/);
      assert.deepEqual(bench.pids("forking.service"), []);
    });

    test("without a PID file the only daemon is the one", async () => {
      const start = script("forks", "sleep 1000 & exit 0");
      await bench.start(
        "forks.service",
        `[Service]\nType=forking\nExecStart=${start}\nExecStop=/bin/sh -c "kill $MAINPID"\n`,
      );
      await bench.until("forks.service", "active/running");
      await bench.driver.stop(unitRef("forks.service"), { graceMs: 5000 });
      const run = await bench.observed("forks.service");
      assert.deepEqual([run.exitCode, run.unit?.sub], [0, "dead"]);
    });

    test("one that ends without writing its PID file has broken the protocol", async () => {
      const file = bench.path("never.pid");
      await bench.start("never.service", `[Service]\nType=forking\nPIDFile=${file}\nExecStart=/bin/true\n`);
      const run = await bench.until("never.service", "failed/failed");
      assert.equal(run.unit?.result, "protocol");
    });
  });

  test("an EnvironmentFile= may be written by ExecStartPre=, wins over Environment=, and is required without a dash", async () => {
    const file = bench.path("made.env");
    await bench.start(
      "env.service",
      `[Service]\nType=oneshot\nEnvironment="A=from unit" B=kept\nEnvironmentFile=-${file}\n` +
        `ExecStartPre=/bin/sh -c "echo 'A=\\"from file\\"' > ${file}"\nExecStart=/bin/echo \${A} $B $NONE end\n`,
    );
    await bench.until("env.service", "inactive/dead");
    assert.equal(await bench.output("env.service"), "from file kept end\n");
    await bench.start("no-env.service", "[Service]\nEnvironmentFile=/does/not/exist\nExecStart=/bin/true\n");
    const run = await bench.until("no-env.service", "failed/failed");
    assert.equal(run.unit?.result, "resources");
    assert.match(run.message ?? "", /EnvironmentFile=\/does\/not\/exist: there is no such file/);
  });

  test("PermissionsStartOnly=true: all but ExecStart= run as root", async () => {
    const who = '/bin/sh -c "id -un"';
    await bench.start(
      "mixed.service",
      `[Service]\nType=oneshot\nUser=nobody\nPermissionsStartOnly=true\nExecStartPre=${who}\nExecStart=${who}\nExecStopPost=${who}\n`,
    );
    await bench.until("mixed.service", "inactive/dead");
    assert.equal(await bench.output("mixed.service"), "root\nnobody\nroot\n");
  });

  test("a process gets systemd's environment, the pod's below the unit's own", async () => {
    await bench.start(
      "environ.service",
      "[Service]\nType=oneshot\nEnvironment=PORT=from-unit\nUser=nobody\nWorkingDirectory=/usr\nUMask=0077\nLimitNOFILE=512:1024\n" +
        'ExecStart=/bin/sh -c "env; pwd; umask; ulimit -n; id -un; cat /proc/self/cgroup"\n',
      { env: { PORT: "from-pod", HOST: "pod-host" } },
    );
    await bench.until("environ.service", "inactive/dead");
    const said = (await bench.output("environ.service")).split("\n");
    for (const expected of [
      "PORT=from-unit",
      "HOST=pod-host",
      "USER=nobody",
      "LOGNAME=nobody",
      "DOCKER_HOST=unix:///run/engine.sock",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "/usr",
      "0077",
      "512",
      "nobody",
    ])
      assert(said.includes(expected), `${expected} is missing in:\n${said.join("\n")}`);
    assert(said.some((line) => /^INVOCATION_ID=[0-9a-f]{32}$/.test(line)));
    assert(
      said.some((line) => line.includes(podUid("environ.service"))),
      "it runs in its own cgroup",
    );
  });

  test("MemoryMax= is enforced, and the kill is told as such", async () => {
    await bench.start(
      "greedy.service",
      '[Service]\nMemoryMax=16M\nExecStart=/bin/sh -c "x=a; while :; do x=$x$x; done"\n',
    );
    const run = await bench.until("greedy.service", "failed/failed");
    assert.equal(run.unit?.result, "oom-kill");
    assert.equal(run.outOfMemory, true);
    assert.match(run.message ?? "", /memory limit/);
  });

  test("two ExecStart= lines in a simple service do not load, and say which line", async () => {
    const run = await bench.start("twice.service", "[Service]\nExecStart=/bin/true\nExecStart=/bin/true\n");
    assert.deepEqual(run.unit, { load: "bad-setting", active: "inactive", sub: "dead", result: "success" });
    assert.equal(run.state, "exited");
    assert.equal(run.exitCode, 1);
    assert.match(run.message ?? "", /^twice\.service:3: Service has more than one ExecStart= setting/);
  });

  test("a condition that does not hold leaves the unit dead without a failure", async () => {
    await bench.start(
      "condition.service",
      "[Unit]\nConditionPathExists=/does/not/exist\n[Service]\nExecStart=/bin/true\n",
    );
    const run = await bench.observed("condition.service");
    assert.deepEqual([run.state, run.exitCode, run.unit?.sub], ["exited", 0, "dead"]);
    assert.match(run.message ?? "", /ConditionPathExists=\/does\/not\/exist does not hold/);
  });

  test("docker run gets the marks that its container is found by, whatever global flags come first", async () => {
    const docker = script("docker", 'for word in "$@"; do echo "$word"; done');
    await bench.start(
      "marks.service",
      `[Service]\nType=oneshot\nExecStart=${docker} --host unix:///x run --name web nginx run\nExecStart=${docker} pull nginx\n`,
    );
    await bench.until("marks.service", "inactive/dead");
    const labels = [
      "--label",
      "dev.styrmann.unit=marks.service",
      "--label",
      `dev.styrmann.pod=${podUid("marks.service")}`,
    ];
    const said = ["--host", "unix:///x", "run", ...labels, "--name", "web", "nginx", "run", "pull", "nginx", ""];
    assert.deepEqual((await bench.output("marks.service")).split("\n"), said);
  });

  test("a unit that is only loaded does not run until it is to be started, and can be stopped and kept", async () => {
    const text = "[Service]\nExecStart=/bin/sleep 1000\n";
    const loaded = await bench.start("loaded.service", text, { load: true });
    assert.deepEqual([loaded.state, loaded.unit?.sub], ["created", "dead"]);
    const started = await bench.start("loaded.service", text);
    assert.deepEqual([started.state, started.unit?.sub], ["running", "running"]);
    await bench.start("loaded.service", text, { load: true });
    const kept = await bench.until("loaded.service", "inactive/dead");
    assert.equal(kept.state, "created");
  });

  test("a timer is loaded, says that it is not executed, and can be stopped", async () => {
    const run = await bench.start("backup.timer", "[Timer]\nOnCalendar=daily\n");
    assert.deepEqual([run.state, run.unit?.load, run.unit?.sub], ["running", "loaded", "dead"]);
    assert.match(run.message ?? "", /a \.timer unit is loaded but not executed/);
    await bench.driver.stop(unitRef("backup.timer"), { graceMs: 1000 });
    const ended = await bench.observed("backup.timer");
    assert.deepEqual([ended.state, ended.exitCode], ["exited", 0]);
  });

  test("a command in a unit's place is executed beside its processes", async () => {
    await bench.start("exec.service", "[Service]\nExecStart=/bin/sleep 1000\nEnvironment=COLOR=blue\n");
    await bench.until("exec.service", "active/running");
    const command = ["/bin/sh", "-c", "echo $COLOR; exit 5"];
    const answer = await bench.driver.probe(unitRef("exec.service"), command, 5000);
    assert.deepEqual(answer, { exitCode: 5, output: "blue\n" });
  });
});
