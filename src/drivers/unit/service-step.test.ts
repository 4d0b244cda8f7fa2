import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseUnitFile } from "../../model/unit/parse-unit-file.ts";
import { readService } from "../../model/unit/read-service.ts";
import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import type { ServiceAction, ServiceEvent } from "./service-events.ts";
import { needsLooking, type ServiceState, UNSTARTED } from "./service-state.ts";
import { step } from "./service-step.ts";

const INVOCATION = "0123456789abcdef0123456789abcdef";

function serviceOf(text: string): ServiceSettings {
  const { service, diagnostics } = readService(parseUnitFile(`[Service]\n${text}`).options, "t.service");
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  return service;
}

/** A service driven by hand: processes are what the test says. */
class Bench {
  readonly service: ServiceSettings;
  state: ServiceState = UNSTARTED;
  nowMs = 1_000_000;
  pids: number[] = [];
  mainPidFound: number | undefined;
  actions: ServiceAction[] = [];
  readonly path: string[] = [];

  constructor(text: string) {
    this.service = serviceOf(text);
  }

  send(event: ServiceEvent): this {
    const view = { nowMs: this.nowMs, pids: this.pids };
    const found = this.mainPidFound === undefined ? {} : { mainPidFound: this.mainPidFound };
    const next = step(this.service, this.state, event, { ...view, ...found });
    this.state = next.state;
    this.actions = [...next.actions];
    if (this.path.at(-1) !== next.state.sub) this.path.push(next.state.sub);
    return this;
  }

  start(): this {
    return this.send({ type: "start", invocationId: INVOCATION });
  }

  stop(): this {
    return this.send({ type: "stop" });
  }

  /** The process with this id ends. */
  exits(id: string, code = 0): this {
    return this.send({ type: "exited", id, end: { code } });
  }

  dies(id: string, signal: number): this {
    return this.send({ type: "exited", id, end: { signal } });
  }

  after(ms: number): this {
    this.nowMs += ms;
    return this.send({ type: "deadline" });
  }

  spawns(): readonly string[] {
    return this.actions.flatMap((action) => (action.type === "spawn" ? [action.id] : []));
  }

  is(sub: string, result = "success"): this {
    assert.deepEqual([this.state.sub, this.state.result], [sub, result]);
    return this;
  }
}

describe("the service machine", () => {
  const ends: readonly { why: string; text: string; end: (bench: Bench) => Bench; sub: string; result: string }[] = [
    { why: "code 0 is dead", text: "", end: (b) => b.exits("1.start.0"), sub: "dead", result: "success" },
    { why: "code 1 is failed", text: "", end: (b) => b.exits("1.start.0", 1), sub: "failed", result: "exit-code" },
    {
      why: "SIGTERM is clean for a daemon",
      text: "",
      end: (b) => b.dies("1.start.0", 15),
      sub: "dead",
      result: "success",
    },
    { why: "SIGKILL is not", text: "", end: (b) => b.dies("1.start.0", 9), sub: "failed", result: "signal" },
    {
      why: "SuccessExitStatus=",
      text: "SuccessExitStatus=7 SIGKILL\n",
      end: (b) => b.exits("1.start.0", 7),
      sub: "dead",
      result: "success",
    },
    {
      why: "SuccessExitStatus= with a signal",
      text: "SuccessExitStatus=SIGKILL\n",
      end: (b) => b.dies("1.start.0", 9),
      sub: "dead",
      result: "success",
    },
    {
      why: "RemainAfterExit= after a clean end",
      text: "RemainAfterExit=yes\n",
      end: (b) => b.exits("1.start.0"),
      sub: "exited",
      result: "success",
    },
    {
      why: "RemainAfterExit= does not hide a failure",
      text: "RemainAfterExit=yes\n",
      end: (b) => b.exits("1.start.0", 1),
      sub: "failed",
      result: "exit-code",
    },
    {
      why: "an end that nobody saw is a failure",
      text: "",
      end: (b) => b.send({ type: "exited", id: "1.start.0", end: { isLost: true } }),
      sub: "failed",
      result: "exit-code",
    },
    {
      why: "memory ran out",
      text: "",
      end: (b) => b.send({ type: "exited", id: "1.start.0", end: { signal: 9, outOfMemory: true } }),
      sub: "failed",
      result: "oom-kill",
    },
    {
      why: "a core dump",
      text: "",
      end: (b) => b.send({ type: "exited", id: "1.start.0", end: { signal: 11, dumpedCore: true } }),
      sub: "failed",
      result: "core-dump",
    },
  ];
  for (const { why, text, end, sub, result } of ends)
    test(`a simple service that ends: ${why}`, () =>
      void end(new Bench(`ExecStart=/a\n${text}`).start().is("running")).is(sub, result));

  const oneshots: readonly [why: string, end: (bench: Bench) => Bench, sub: string, result: string][] = [
    ["code 0", (b) => b.exits("1.start.0"), "dead", "success"],
    ["SIGTERM is not clean for a command", (b) => b.dies("1.start.0", 15), "failed", "signal"],
  ];
  for (const [why, end, sub, result] of oneshots)
    test(`a oneshot: ${why}`, () =>
      void end(new Bench("Type=oneshot\nExecStart=/a\n").start().is("start")).is(sub, result));

  const restarts: readonly [restart: string, on: Record<string, boolean>][] = [
    ["no", { clean: false, code: false, signal: false, timeout: false }],
    ["on-success", { clean: true, code: false, signal: false, timeout: false }],
    ["on-failure", { clean: false, code: true, signal: true, timeout: true }],
    ["on-abnormal", { clean: false, code: false, signal: true, timeout: true }],
    ["on-abort", { clean: false, code: false, signal: true, timeout: false }],
    ["on-watchdog", { clean: false, code: false, signal: false, timeout: false }],
    ["always", { clean: true, code: true, signal: true, timeout: true }],
  ];
  for (const [restart, on] of restarts)
    for (const [ending, restarted] of Object.entries(on))
      test(`Restart=${restart} after ${ending} ${restarted ? "restarts" : "does not restart"}`, () => {
        const bench = new Bench(
          `ExecStartPre=/p\nExecStart=/a\nTimeoutStartSec=10\nRestart=${restart}\nRestartSec=3\n`,
        ).start();
        if (ending === "timeout") bench.after(10_000).exits("1.start-pre.0");
        else bench.exits("1.start-pre.0");
        if (ending === "clean") bench.exits("1.start.0");
        if (ending === "code") bench.exits("1.start.0", 1);
        if (ending === "signal") bench.dies("1.start.0", 9);
        assert.equal(bench.state.sub === "auto-restart", restarted);
        if (!restarted) return;
        bench.after(2999).is("auto-restart", bench.state.result);
        bench.after(1);
        assert.deepEqual(bench.actions, [{ type: "restart" }]);
        bench.send({ type: "start", invocationId: INVOCATION, isAutomatic: true }).is("start-pre");
        assert.deepEqual(bench.spawns(), ["2.start-pre.0"]);
      });

  test("RestartPreventExitStatus= and RestartForceExitStatus= go before Restart=", () => {
    const prevents = new Bench("ExecStart=/a\nRestart=always\nRestartPreventExitStatus=3\n").start();
    prevents.exits("1.start.0", 3).is("failed", "exit-code");
    const forces = new Bench("ExecStart=/a\nRestartForceExitStatus=4\n").start();
    forces.exits("1.start.0", 4).is("auto-restart", "exit-code");
  });

  test("a stop while it waits to restart ends the waiting", () => {
    const bench = new Bench("ExecStart=/a\nRestart=always\n")
      .start()
      .exits("1.start.0", 1)
      .is("auto-restart", "exit-code");
    bench.stop().is("failed", "exit-code").after(100_000);
    assert.deepEqual(bench.actions, []);
  });

  test("ExecStop= runs when the main process ended well by itself, not when it failed", () => {
    const well = new Bench("ExecStart=/a\nExecStop=/s\n").start().exits("1.start.0").is("stop");
    assert.deepEqual(well.spawns(), ["1.stop.0"]);
    well.exits("1.stop.0").is("dead");
    new Bench("ExecStart=/a\nExecStop=/s\n").start().exits("1.start.0", 1).is("failed", "exit-code");
  });

  test("a failing ExecStop= makes the unit failed", () => {
    const bench = new Bench("ExecStart=/a\nExecStop=/s\n").start();
    bench.pids = [10];
    bench.stop().exits("1.stop.0", 5).is("stop-sigterm", "exit-code");
    bench.pids = [];
    bench.dies("1.start.0", 15).is("failed", "exit-code");
  });

  test("a start that is asked for while it stops comes after the stop", () => {
    const bench = new Bench("ExecStart=/a\n").start();
    bench.pids = [10];
    bench.stop().is("stop-sigterm").start().is("stop-sigterm");
    bench.pids = [];
    bench.dies("1.start.0", 15).is("dead");
    assert.deepEqual(bench.actions, [{ type: "restart" }]);
    bench.send({ type: "start", invocationId: INVOCATION, isAutomatic: true }).is("running");
  });

  test("a restart is never seen without a start to come", () => {
    const bench = new Bench("ExecStart=/a\n").start();
    bench.pids = [10];
    bench.send({ type: "stop", thenStart: true }).is("stop-sigterm");
    bench.pids = [];
    bench.dies("1.start.0", 15).is("dead");
    assert.equal(bench.state.isStartAsked, true);
    assert.deepEqual(bench.actions, [{ type: "restart" }]);
    bench.send({ type: "start", invocationId: INVOCATION, isAutomatic: true }).is("running");
    assert.deepEqual([bench.state.isStartAsked, bench.state.isStopAsked], [false, false]);
  });

  test("the start limit counts starts within its interval, and forgets them after it", () => {
    const bench = new Bench("ExecStart=/a\nStartLimitBurst=2\nStartLimitInterval=10\n");
    bench.start().exits("1.start.0", 1).start().exits("2.start.0", 1).start().is("failed", "start-limit-hit");
    bench.nowMs += 10_001;
    bench.start().is("running");
  });

  test("a oneshot goes from command to command, and a stop in between ends it", () => {
    const bench = new Bench("Type=oneshot\nExecStart=/a\nExecStart=/b\n").start();
    bench.exits("1.start.0");
    assert.deepEqual(bench.spawns(), ["1.start.1"]);
    bench.pids = [10];
    bench.stop().is("stop-sigterm");
    bench.pids = [];
    bench.exits("1.start.1").is("dead");
  });

  test("ExecCondition= says not now with 1, and that it broke with 255", () => {
    new Bench("ExecCondition=/c\nExecStart=/a\n").start().exits("1.condition.0", 1).is("dead", "exec-condition");
    new Bench("ExecCondition=/c\nExecStart=/a\n").start().exits("1.condition.0", 255).is("failed", "exit-code");
  });

  test("RuntimeMaxSec= ends what runs too long", () => {
    const bench = new Bench("ExecStart=/a\nRuntimeMaxSec=5\n").start();
    bench.pids = [10];
    bench.after(5000).is("stop-sigterm", "timeout");
  });

  test("SendSIGKILL=no never kills", () => {
    const bench = new Bench("ExecStart=/a\nSendSIGKILL=no\nTimeoutStopSec=1\n").start();
    bench.pids = [10];
    bench.stop().after(1000).is("final-sigterm", "timeout").after(1000).is("failed", "timeout");
    assert(!bench.path.some((sub) => sub.endsWith("sigkill")));
  });

  const kills: readonly [mode: string, targets: readonly string[]][] = [
    ["control-group", ["signal-cgroup 15", "signal-cgroup 18"]],
    ["mixed", ["signal-command 15", "signal-command 18"]],
    ["process", ["signal-command 15", "signal-command 18"]],
  ];
  for (const [mode, targets] of kills)
    test(`KillMode=${mode} signals ${targets[0]}`, () => {
      const bench = new Bench(`ExecStart=/a\nKillMode=${mode}\n`).start();
      bench.pids = [10, 11];
      bench.stop().is("stop-sigterm");
      assert.deepEqual(
        bench.actions.map((action) => `${action.type} ${"signal" in action ? action.signal : ""}`),
        targets,
      );
    });

  test("Type=forking: the main process is the one found, and running depends on it", () => {
    const bench = new Bench("Type=forking\nExecStart=/a\n").start().is("start");
    [bench.pids, bench.mainPidFound] = [[20], 20];
    bench.exits("1.start.0").is("running");
    assert.deepEqual(bench.state.main, { pid: 20 });
    assert(needsLooking(bench.state));
    bench.pids = [];
    bench.send({ type: "look" }).is("failed", "exit-code");
  });

  test("Type=forking without a main process runs as long as anything does", () => {
    const bench = new Bench("Type=forking\nExecStart=/a\n").start();
    bench.pids = [20, 21];
    bench.exits("1.start.0").is("running");
    bench.pids = [];
    bench.send({ type: "look" }).is("dead");
  });

  test("a command that cannot even be tried is a lack of resources", () => {
    const bench = new Bench("ExecStart=/a\n").start();
    bench.send({ type: "not-spawned", id: "1.start.0", message: "no file" }).is("failed", "resources");
    assert.equal(bench.state.failure, "no file");
  });

  test("RestartSec=0 restarts ten times a second at most", () => {
    const bench = new Bench("ExecStart=/a\nRestart=always\nRestartSec=0\n").start();
    bench.exits("1.start.0", 1).is("auto-restart", "exit-code");
    assert.equal(bench.state.deadlineMs, bench.nowMs + 100);
  });

  test("events about processes of another start change nothing", () => {
    const bench = new Bench("ExecStart=/a\nRestart=always\n").start();
    const before = bench.state;
    for (const id of ["0.start.0", "2.start.0", "1.stop.0"]) bench.exits(id, 1);
    assert.equal(bench.state, before);
  });

  test("whatever happens, moves are those of the table, and a unit that is stopped and whose processes end comes to rest", () => {
    const texts = [
      "ExecStart=/a\nRestart=always\nRestartSec=0\n",
      "Type=oneshot\nRemainAfterExit=yes\nExecStart=/a\nExecStart=/b\nExecStop=/s\n",
      "Type=forking\nPIDFile=/run/x\nExecStart=/a\nExecStartPost=/p\nRestart=on-failure\n",
      "ExecCondition=/c\nExecStartPre=/p\nExecStart=/a\nExecStartPost=/q\nExecStop=/s\nExecStop=-/t\nExecStopPost=/u\nKillMode=mixed\n",
      "ExecStart=/a\nExecStop=/s\nKillMode=none\nTimeoutStartSec=1\nTimeoutStopSec=1\nRuntimeMaxSec=2\n",
    ];
    type Happening =
      | "start"
      | "stop"
      | "look"
      | "deadline"
      | "main ends"
      | "control ends"
      | "main fails"
      | "control fails"
      | "not spawned";
    const happening = fc.constantFrom<Happening>(
      "start",
      "stop",
      "look",
      "deadline",
      "main ends",
      "control ends",
      "main fails",
      "control fails",
      "not spawned",
    );
    const moment = fc.tuple(happening, fc.boolean(), fc.nat(5000));
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.array(moment, { maxLength: 40 }), (text, moments) => {
        const bench = new Bench(text);
        const happen = (what: Happening, isEmpty: boolean, ms: number) => {
          bench.nowMs += ms;
          bench.pids = isEmpty ? [] : [10, 11];
          bench.mainPidFound = ms % 2 === 0 ? 10 : undefined;
          const id = what.startsWith("main") ? bench.state.main?.command?.id : bench.state.control?.id;
          if (what === "start") bench.start();
          else if (what === "stop") bench.stop();
          else if (what === "look" || what === "deadline") bench.send({ type: what });
          else if (what === "not spawned") bench.send({ type: "not-spawned", id: id ?? "", message: "no" });
          else bench.exits(id ?? "", what.endsWith("fails") ? 1 : 0);
          if (bench.actions.some(({ type }) => type === "restart"))
            bench.send({ type: "start", invocationId: INVOCATION, isAutomatic: true });
        };
        for (const [what, isEmpty, ms] of moments) happen(what, isEmpty, ms);
        happen("stop", true, 0);
        for (let round = 0; round < 20; round++) {
          happen("main ends", true, 0);
          happen("control ends", true, 0);
          happen("look", true, 0);
        }
        assert(
          ["dead", "failed"].includes(bench.state.sub),
          `it stays ${bench.state.sub} after ${bench.path.join(", ")}`,
        );
      }),
      { numRuns: 1000 },
    );
  });
});
