import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DriverError } from "../../../src/drivers/driver.ts";
import type { ProcessInfo } from "../../../src/drivers/keeper/keeper.ts";
import type { KeeperClient } from "../../../src/drivers/keeper/keeper-client.ts";
import { KEEPER_CGROUPS } from "../../../src/drivers/keeper/launcher.ts";
import { readLogs } from "../../../src/drivers/keeper/log-files.ts";
import { isAlive, readStat } from "../../../src/drivers/keeper/proc.ts";
import { startKeeper } from "../../../src/drivers/keeper/start-keeper.ts";
import { textOf } from "../driver/driver-contract.ts";
import { eventually } from "../driver/observer.ts";
import { cannotKeepProcesses, type NodePlace, openNodePlace } from "./node-place.ts";

const SIGKILL = 9;
const SIGTERM = 15;

describe("keeper", { skip: cannotKeepProcesses() ?? false }, () => {
  let node: NodePlace;
  let keeper: KeeperClient;
  before(() => {
    node = openNodePlace("keeper");
    keeper = node.connect();
  });
  after(() => node?.close());

  const shell = (name: string, script: string, more = {}) => node.spec(name, ["/bin/sh", "-c", script], more);
  /** On a host that is busy a keeper that has just started may be silent for longer than its client waits. */
  const patiently = <T>(ask: () => Promise<T>): Promise<T> =>
    eventually("an answer of the keeper", async () => {
      try {
        return { answer: await ask() };
      } catch (error) {
        if (error instanceof DriverError && error.temporary) return undefined;
        throw error;
      }
    }).then(({ answer }) => answer);
  const find = async (id: string) => (await patiently(() => keeper.list())).find((info) => info.id === id);
  const ended = (id: string): Promise<ProcessInfo> =>
    eventually(`the end of ${id}`, async () => {
      const info = await find(id);
      return info?.state === "exited" ? info : undefined;
    });
  const ran = async (name: string, script: string, more = {}) => {
    const spec = shell(name, script, more);
    await keeper.spawn(spec);
    const info = await ended(spec.id);
    return { info, ...(await textOf(readLogs(spec.logDir))) };
  };
  const killKeeper = async () => {
    const pid = await keeper.pid();
    const stat = readStat(pid);
    process.kill(pid, SIGKILL);
    await eventually("the keeper's end", async () => !isAlive(pid, stat?.startTicks ?? 0) || undefined);
    return pid;
  };

  describe("survival", () => {
    test("the exit code of a process that ended while nobody was connected is known to the next client", async () => {
      const spec = shell("unseen", "sleep 0.3; exit 7");
      const first = node.connect();
      const { pid } = await first.spawn(spec);
      first.close();
      await eventually("its end", async () => readStat(pid) === undefined || undefined);
      const info = await find(spec.id);
      assert.deepEqual([info?.state, info?.exitCode, info?.lost], ["exited", 7, undefined]);
    });

    test("a client killed with -9 takes nothing with it, and its process goes on writing", async () => {
      const spec = shell("orphan", "while :; do date +%s.%N; sleep 0.05; done");
      const program = fileURLToPath(new URL("spawn-and-wait.ts", import.meta.url));
      const place = { stateDir: node.stateDir, cgroupRoot: node.cgroupRoot };
      const client = spawn(process.execPath, [program, JSON.stringify({ place, spec })], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [data] = await once(client.stdout, "data");
      process.kill(client.pid ?? 0, SIGKILL);
      await once(client, "exit");
      const log = join(spec.logDir, "stdout.log");
      const { size } = statSync(log);
      await eventually("more output", async () => statSync(log).size > size || undefined);
      assert.deepEqual([(await find(spec.id))?.state, (await find(spec.id))?.pid], ["running", Number(data)]);
      await keeper.signalCgroup(spec.cgroup, SIGKILL);
      assert.equal((await ended(spec.id)).signal, SIGKILL);
    });

    test("a keeper killed with -9 takes nothing with it: the next adopts what runs and says what was lost", async () => {
      const [goesOn, ends] = [node.spec("adopted", ["sleep", "1000"]), node.spec("missed", ["sleep", "1000"])];
      const { pid } = await keeper.spawn(goesOn);
      const victim = await keeper.spawn(ends);
      const first = await killKeeper();
      process.kill(victim.pid, SIGKILL);
      assert.notEqual(await keeper.pid(), first);
      const adopted = await find(goesOn.id);
      assert.deepEqual([adopted?.state, adopted?.pid], ["running", pid]);
      const missed = await ended(ends.id);
      assert.deepEqual([missed.lost, missed.exitCode, missed.signal], [true, undefined, undefined]);
      assert.equal((await keeper.spawn(goesOn)).pid, pid, "spawning it again gives the adopted one");
      await keeper.signal(goesOn.id, SIGTERM);
      assert.equal((await ended(goesOn.id)).lost, true);
    });

    test("who watches hears of a keeper's death and of what ended after it", async () => {
      const spec = node.spec("watched", ["sleep", "1000"]);
      const { pid } = await keeper.spawn(spec);
      const seen: (ProcessInfo | "lost")[] = [];
      const stop = new AbortController();
      keeper.watch((change) => seen.push(change), stop.signal);
      await killKeeper();
      const losses = seen.filter((change) => change === "lost").length;
      process.kill(pid, SIGKILL);
      await eventually("lost", async () => seen.filter((change) => change === "lost").length > losses || undefined);
      assert.equal((await ended(spec.id)).lost, true);
      stop.abort();
    });

    test("after a reboot nothing that was recorded as running runs, whoever has its pid now", async () => {
      const spec = node.spec("rebooted", ["sleep", "1000"]);
      await keeper.spawn(spec);
      const pid = await killKeeper();
      const directory = join(node.stateDir, "processes");
      const file = readdirSync(directory).find((name) => name.startsWith("pod_rebooted")) ?? "";
      const record = JSON.parse(readFileSync(join(directory, file), "utf8"));
      writeFileSync(join(directory, file), JSON.stringify({ ...record, bootId: "another-boot" }));
      assert.notEqual(await patiently(() => keeper.pid()), pid);
      const info = await find(spec.id);
      assert.deepEqual([info?.state, info?.lost], ["exited", true]);
      await keeper.signalCgroup(spec.cgroup, SIGKILL);
    });

    test("a daemon kept with restart: always comes back after a crash, and stays away after a SIGTERM", async () => {
      const spec = node.spec("daemon", ["sleep", "1000"], { restart: "always" });
      const { pid } = await keeper.spawn(spec);
      process.kill(pid, SIGKILL);
      const next = await eventually("a new pid", async () => {
        const info = await find(spec.id);
        return info && info.pid > 0 && info.pid !== pid ? info : undefined;
      });
      assert.deepEqual([next.state, next.restarts], ["running", 1]);
      await keeper.signal(spec.id, SIGTERM);
      assert.equal((await ended(spec.id)).signal, SIGTERM);
    });
  });

  describe("one per directory", () => {
    test("started many times at once, there is one", async () => {
      const place = openNodePlace("once");
      const clients = Array.from({ length: 4 }, () => place.connect());
      const pids = await Promise.all(clients.map((client) => client.pid()));
      assert.equal(new Set(pids).size, 1);
      place.close();
    });

    test("a second keeper on the same directory ends with 3", async () => {
      await startKeeper({ stateDir: node.stateDir, cgroupRoot: node.cgroupRoot });
      const program = join(node.stateDir, "program");
      const main = join(program, readdirSync(program)[0] ?? "", "src/drivers/keeper/main.mjs");
      const second = spawn(process.execPath, [main, node.stateDir, node.cgroupRoot], { stdio: "ignore" });
      assert.deepEqual((await once(second, "exit"))[0], 3);
    });

    test("a state directory with a path too long for a socket works", async () => {
      const place = openNodePlace("long");
      const { KeeperClient } = await import("../../../src/drivers/keeper/keeper-client.ts");
      const client = new KeeperClient({ stateDir: join(place.dir, "x".repeat(120)), cgroupRoot: place.cgroupRoot });
      assert.ok((await client.pid()) > 0);
      await client.shutdown();
      place.close();
    });

    test("shutdown is refused while something runs, and leaves no process, no cgroup and no record", async () => {
      const place = openNodePlace("down");
      const client = place.connect();
      const pid = await client.pid();
      const spec = place.spec("last", ["sleep", "1000"]);
      await client.spawn(spec);
      await assert.rejects(client.shutdown(), /still running: pod\/last\/0\/main/);
      await client.signalCgroup(spec.cgroup, SIGKILL);
      await client.removeCgroup("pod");
      await eventually("its end", async () => (await client.list())[0]?.state === "exited" || undefined);
      await client.forget(spec.id);
      await client.shutdown();
      await eventually("the keeper's end", async () => readStat(pid) === undefined || undefined);
      await place.tree.removeAll(KEEPER_CGROUPS);
      assert.deepEqual(readdirSync(join(place.stateDir, "processes")), []);
      assert.deepEqual([place.tree.exists(""), place.tree.pidsBeside("keeper")], [false, []]);
      place.close();
    });

    test("what cannot be written down is not started, and a full disk does not end the keeper", async () => {
      const place = openNodePlace("full");
      const client = place.connect();
      const pid = await client.pid();
      const running = place.spec("before", ["sleep", "1000"]);
      await client.spawn(running);
      const records = join(place.stateDir, "processes");
      renameSync(records, `${records}.gone`);
      await assert.rejects(client.spawn(place.spec("after", ["sleep", "1000"])), /ENOENT/);
      assert.deepEqual(place.tree.pids("pod/after"), []);
      await client.signalCgroup("pod", SIGKILL);
      const end = async () => (await client.list()).find(({ state }) => state === "exited");
      assert.equal((await eventually("its end", end)).signal, SIGKILL);
      renameSync(`${records}.gone`, records);
      await eventually("the record", async () => {
        const texts = readdirSync(records).map((name) => readFileSync(join(records, name), "utf8"));
        return texts.some((text) => text.includes('"exited"')) || undefined;
      });
      assert.equal(await client.pid(), pid);
      place.close();
    });

    test("its own memory stays small", async () => {
      const status = readFileSync(`/proc/${await keeper.pid()}/status`, "utf8");
      const anonymous = Number(/^RssAnon:\s*(\d+) kB/m.exec(status)?.[1]);
      assert.ok(anonymous < 40 * 1024, `${anonymous} kB that are not shared with the node binary`);
    });
  });

  describe("cgroups", () => {
    test("a process and all it forks at once are in its cgroup in every hierarchy", async () => {
      const spec = shell("born", "for i in 1 2 3 4 5; do setsid sleep 1000 & done; wait");
      await keeper.spawn(spec);
      const pids = await eventually("six processes", async () => {
        const found = node.tree.pids(spec.cgroup);
        return found.length === 6 ? found : undefined;
      });
      const lines = pids.flatMap((pid) => readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n"));
      const ours = lines.filter((line) => /:(cpu|cpuacct|memory|pids|freezer|name=systemd)?:/.test(line));
      assert.ok(ours.length >= 6);
      for (const line of ours) assert.match(line, new RegExp(`:/${node.cgroupRoot}/pod/born$`));
      await keeper.signalCgroup(spec.cgroup, SIGKILL);
    });

    test("SIGKILL to a cgroup ends daemons that left session and parent, also while they fork", async () => {
      const script = "setsid sh -c 'while :; do (setsid sleep 5 &) ; done' & sleep 0.2; exit 0";
      const spec = shell("forker", script);
      await keeper.spawn(spec);
      await ended(spec.id);
      assert.ok((await keeper.cgroupPids(spec.cgroup)).length > 3, "it left some behind");
      await keeper.signalCgroup(spec.cgroup, SIGKILL);
      assert.deepEqual(await keeper.cgroupPids(spec.cgroup), []);
      await keeper.removeCgroup(spec.cgroup);
      assert.equal(node.tree.exists(spec.cgroup), false);
    });

    test("a memory limit kills, and says so", async () => {
      node.tree.ensure("pod/greedy", { memoryLimitBytes: 32 * 1024 * 1024 });
      const { info } = await ran("greedy", "exec tail /dev/zero");
      assert.deepEqual([info.signal, info.outOfMemory], [SIGKILL, true]);
      const { info: killed } = await ran("killed", "kill -9 $$");
      assert.deepEqual([killed.signal, killed.outOfMemory], [SIGKILL, undefined], "another SIGKILL is not for memory");
    });

    test("a CPU limit is kept", async () => {
      node.tree.ensure("pod/busy", { cpuLimitMillis: 200 });
      const spec = shell("busy", "while :; do :; done");
      await keeper.spawn(spec);
      const [began, before] = [performance.now(), node.tree.usage(spec.cgroup)?.cpuNanos ?? 0];
      await eventually("1.5 s", async () => performance.now() - began > 1500 || undefined);
      const used = ((node.tree.usage(spec.cgroup)?.cpuNanos ?? 0) - before) / 1e6 / (performance.now() - began);
      await keeper.signalCgroup(spec.cgroup, SIGKILL);
      assert.ok(used > 0.05 && used < 0.3, `it used ${used.toFixed(2)} of a CPU, with a limit of 0.2`);
    });

    test("a limit on processes stops a fork bomb", async () => {
      node.tree.ensure("pod/bomb", { pidsLimit: 20 });
      // What it forks on the launch pad is moved along, and is not refused for it.
      const script =
        "until grep -q pod/bomb /proc/self/cgroup; do :; done; for i in $(seq 40); do sleep 1 & done; wait";
      const { stderr } = await ran("bomb", script);
      assert.match(stderr, /fork/i);
    });
  });

  describe("what a process is", () => {
    const failures = [
      { why: "no such file", more: {}, argv: ["/no/such"], code: 203, words: /\/no\/such: no such file/ },
      { why: "not in PATH", more: {}, argv: ["nonsuch"], code: 203, words: /not found in PATH/ },
      { why: "not executable", more: {}, argv: ["/etc/passwd"], code: 203, words: /permission denied/ },
      { why: "a directory", more: {}, argv: ["/etc"], code: 203, words: /not a file/ },
      {
        why: "unknown user",
        more: { user: "no-such-user" },
        argv: ["true"],
        code: 217,
        words: /"no-such-user" does not/,
      },
      {
        why: "unknown group",
        more: { group: "no-such" },
        argv: ["true"],
        code: 216,
        words: /group "no-such" does not/,
      },
      { why: "no directory", more: { cwd: "/no/dir" }, argv: ["true"], code: 200, words: /\/no\/dir: no such file/ },
    ];
    for (const { why, more, argv, code, words } of failures) {
      test(`${why}: it has ended with ${code} and says why`, async () => {
        const info = await keeper.spawn(node.spec(`fails-${why}`, argv, { ...more, cgroup: "pod/fails" }));
        assert.deepEqual([info.state, info.pid, info.exitCode], ["exited", 0, code]);
        assert.match(info.error ?? "", words);
      });
    }

    test("user, groups, limits, priorities, umask and directory are as asked", async () => {
      const script = "id -u; id -g; ulimit -Sn; ulimit -Hn; nice; umask; pwd; cat /proc/self/oom_score_adj";
      const rlimits = { nofile: { soft: 77, hard: 99 }, core: { soft: 0, hard: "unlimited" as const } };
      const how = { rlimits, user: "nobody", nice: 5, umask: 0o077, cwd: "/usr", oomScoreAdjust: 200 };
      const { stdout } = await ran("is", script, how);
      assert.deepEqual(stdout.trim().split("\n"), ["65534", "65534", "77", "99", "5", "0077", "/usr", "200"]);
    });

    test("its environment is what was given and nothing of the keeper's", async () => {
      const { stdout } = await ran("env", "exec env", { env: { A: "1", B: "x y\nz" } });
      assert.deepEqual(
        stdout.split("\n").filter((line) => !line.startsWith("PWD=")),
        ["A=1", "B=x y", "z", ""],
      );
    });

    test("it holds no file of the keeper's open", async () => {
      const { stdout } = await ran("files", "ls -l /proc/self/fd", { user: "nobody" });
      assert.doesNotMatch(stdout, /keeper\.|socket:/);
    });

    test("its argv[0] is as asked, with and without another user", async () => {
      for (const more of [{}, { user: "nobody", rlimits: { nofile: { soft: 50, hard: 60 } } }]) {
        const spec = node.spec(`zero-${Object.keys(more).length}`, ["/bin/sh", "-c", "cat /proc/$$/cmdline"], {
          argv0: "-zero",
          ...more,
        });
        await keeper.spawn(spec);
        assert.equal((await ended(spec.id)).exitCode, 0);
        assert.match((await textOf(readLogs(spec.logDir))).stdout, /^-zero\0-c\0/);
      }
    });

    test("a web server's user can open /dev/stdout again", async () => {
      const { info, stdout } = await ran("reopen", "echo again >> /dev/stdout", { user: "nobody" });
      assert.deepEqual([info.exitCode, stdout], [0, "again\n"]);
    });
  });

  describe("output", () => {
    test("a flood stays within its bound, and its end is there", async () => {
      const logBytes = 256 * 1024;
      const script = "i=0; while [ $i -lt 10000 ]; do echo line-$i-$(printf %080d 0); i=$((i+1)); done";
      const spec = shell("flood", script.replace("$(printf %080d 0)", "0".repeat(80)), { logBytes });
      await keeper.spawn(spec);
      await ended(spec.id);
      const sizes = readdirSync(spec.logDir).map((name) => statSync(join(spec.logDir, name)).size);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      assert.ok(total > 0 && total <= logBytes, `${total} of ${logBytes} bytes`);
      const { stdout } = await textOf(readLogs(spec.logDir, { tailLines: 2 }));
      assert.deepEqual(
        stdout
          .trim()
          .split("\n")
          .map((line) => line.slice(0, 9)),
        ["line-9998", "line-9999"],
      );
    });

    test("a flood that never ends is cut while it runs", async () => {
      const spec = node.spec("endless", ["yes", "x".repeat(99)], { logBytes: 1024 * 1024 });
      node.tree.ensure(spec.cgroup, { cpuLimitMillis: 300 });
      await keeper.spawn(spec);
      await eventually("a rotated file", async () => readdirSync(spec.logDir).includes("stdout.log.1") || undefined);
      await keeper.signalCgroup(spec.cgroup, SIGKILL);
      await ended(spec.id);
      const sizes = readdirSync(spec.logDir).map((name) => statSync(join(spec.logDir, name)).size);
      assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= 1024 * 1024, String(sizes));
    });

    test("following gives every line once, across rotations", async () => {
      // In bursts with pauses, in which the files are turned: what is written during the copy itself may be lost (docs/compatibility.md).
      const pause = "case $i in *00|*50) sleep 0.3;; esac";
      const script = `i=0; while [ $i -lt 600 ]; do echo $i-${"y".repeat(90)}; i=$((i+1)); ${pause}; done`;
      const spec = shell("followed", script, { logBytes: 128 * 1024 });
      await keeper.spawn(spec);
      const hasEnded = async () => (await find(spec.id))?.state === "exited";
      const { stdout } = await textOf(readLogs(spec.logDir, { follow: true, hasEnded }));
      const numbers = stdout
        .trim()
        .split("\n")
        .map((line) => Number.parseInt(line, 10));
      assert.deepEqual(
        numbers,
        Array.from({ length: 600 }, (_, n) => n),
      );
    });
  });

  describe("exec", () => {
    const context = (name: string) => ({ env: { PATH: "/usr/bin:/bin", A: "b" }, cwd: "/usr", cgroup: `pod/${name}` });

    test("input, both outputs and the exit code, in the same cgroup, directory and environment", async () => {
      const script = "cat; pwd; echo $A >&2; grep -c pod/exec /proc/self/cgroup; exit 5";
      const session = await keeper.exec(
        { ...context("exec"), argv: ["sh", "-c", script] },
        { tty: false, stdin: true },
      );
      await session.write(Buffer.from("to be read\n"));
      session.endInput();
      const { stdout, stderr } = await textOf(session.output);
      assert.match(stdout, /^to be read\n\/usr\n[5-9]\n$/);
      assert.deepEqual([stderr, await session.exitCode], ["b\n", 5]);
    });

    test("with a terminal: a real one, of the given size, that can be resized, and the exit code", async () => {
      const argv = ["sh", "-c", "test -t 0 && test -t 1 && stty size; read x; stty size; id -u; exit 6"];
      const size = { columns: 111, rows: 33 };
      const spec = { ...context("tty"), user: "nobody", argv };
      const session = await keeper.exec(spec, { tty: true, stdin: true, size });
      let text = "";
      for await (const { data } of session.output) {
        text += Buffer.from(data).toString();
        if (text === "33 111\r\n") {
          session.resize({ columns: 122, rows: 44 });
          const terminal = await eventually("the new size", async () => sizeOfTerminalIn(node, "pod/tty"));
          assert.equal(terminal, "44 122");
          await session.write(Buffer.from("go\r"));
        }
      }
      assert.match(text, /^33 111\r\n(go\r\n)44 122\r\n65534\r\n$/);
      assert.equal(await session.exitCode, 6);
    });

    test("a command that is not there: 127 and its words", async () => {
      const session = await keeper.exec({ ...context("none"), argv: ["nonsuch"] }, { tty: false, stdin: false });
      assert.match((await textOf(session.output)).stderr, /nonsuch: command not found/);
      assert.equal(await session.exitCode, 127);
    });

    test("a session that is killed, or whose client goes, ends its command", async () => {
      const spec = { ...context("gone"), argv: ["sleep", "1000"] };
      const killed = await keeper.exec(spec, { tty: false, stdin: false });
      await eventually("a process", async () => node.tree.pids("pod/gone").length > 0 || undefined);
      killed.kill();
      assert.equal(await killed.exitCode, 128 + SIGKILL);
      const program = fileURLToPath(new URL("exec-and-wait.ts", import.meta.url));
      const place = { stateDir: node.stateDir, cgroupRoot: node.cgroupRoot };
      const client = spawn(
        process.execPath,
        [program, JSON.stringify({ place, spec: { ...spec, argv: ["sh", "-c", "echo up; sleep 1000"] } })],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      await once(client.stdout, "data");
      process.kill(client.pid ?? 0, SIGKILL);
      await eventually("an empty cgroup", async () => node.tree.pids("pod/gone").length === 0 || undefined);
    });

    test("much output reaches a slow reader whole", async () => {
      const spec = { ...context("much"), argv: ["seq", "200000"] };
      const session = await keeper.exec(spec, { tty: false, stdin: false });
      const { stdout } = await textOf(session.output);
      assert.equal(stdout.split("\n").length, 200_001);
    });
  });
});

function sizeOfTerminalIn(node: NodePlace, cgroup: string): Promise<string | undefined> {
  const [pid] = node.tree.pids(cgroup).toReversed();
  return new Promise((resolve) => {
    const stty = spawn("stty", ["-F", `/proc/${pid}/fd/0`, "size"], { stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    stty.stdout.on("data", (data) => {
      text += data;
    });
    stty.on("close", () => resolve(text.trim() === "44 122" ? text.trim() : undefined));
  });
}
