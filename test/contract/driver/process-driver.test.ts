/** What the process driver promises beside the contract of all drivers. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { ContainerRun, ObservedRun } from "../../../src/drivers/driver.ts";
import { ProcessDriver } from "../../../src/drivers/process/process-driver.ts";
import type { Container } from "../../../src/model/pod.ts";
import { cannotKeepProcesses, type NodePlace, openNodePlace } from "../keeper/node-place.ts";
import { textOf } from "./driver-contract.ts";
import { makeRun, nextRun, type RunOptions } from "./make-run.ts";
import { eventually } from "./observer.ts";

describe("process driver", { skip: cannotKeepProcesses() ?? false }, () => {
  let node: NodePlace;
  let driver: ProcessDriver;
  before(() => {
    node = openNodePlace("driver");
    driver = new ProcessDriver({
      ...{ keeper: node.connect(), tree: node.tree, dataDir: join(node.dir, "runs"), fetchBytes: 1024 * 1024 },
    });
  });
  after(() => node?.close());

  const runOf = (script: string, more: Partial<Container> = {}, options: RunOptions = {}): ContainerRun =>
    makeRun({ driver: "process", command: ["/bin/sh", "-c", script], ...more }, options);
  const ended = (run: ContainerRun): Promise<ObservedRun> =>
    eventually(`the end of ${run.ref.podUid}`, async () => {
      const runs = await driver.list();
      return runs.find(({ ref, state }) => state === "exited" && JSON.stringify(ref) === JSON.stringify(run.ref));
    });
  const ran = async (run: ContainerRun) => {
    await driver.prepare(run, {});
    await driver.start(run);
    const observed = await ended(run);
    const output = await textOf(driver.logs(run.ref, {}));
    return { observed, ...output };
  };
  const discard = async (run: ContainerRun) => {
    await driver.remove(run.ref);
    await driver.release(run.ref.podUid);
  };

  test("it runs in a sandbox of its own, as its user, with its variables and the sandbox's path", async () => {
    const run = runOf("pwd; id -u; touch made; echo $MINE $STYR_SANDBOX $DIR", {
      process: { user: "nobody" },
      env: [
        { name: "MINE", value: "a b" },
        { name: "DIR", value: "$(STYR_SANDBOX)/x" },
      ],
    });
    const { stdout, observed } = await ran(run);
    const [cwd, uid, values] = stdout.split("\n");
    assert.deepEqual([observed.exitCode, uid, values], [0, "65534", `a b ${cwd} ${cwd}/x`]);
    assert.equal(statSync(join(cwd ?? "", "made")).uid, 65534);
    await discard(run);
    assert.equal(existsSync(cwd ?? ""), false);
  });

  test("an unknown user or a missing program: ended with systemd's code and words", async () => {
    const [who, what] = [runOf("true", { process: { user: "no-such" } }), makeRun({ command: ["no-such-program"] })];
    const [user, program] = [(await ran(who)).observed, (await ran(what)).observed];
    assert.deepEqual([user.exitCode, program.exitCode], [217, 203]);
    assert.match(
      `${user.message}\n${program.message}`,
      /user "no-such" does not exist\nno-such-program: command not found/,
    );
    for (const run of [who, what]) await discard(run);
  });

  test("no command at all is refused, for good", async () => {
    await assert.rejects(driver.prepare(makeRun({}), {}), /container main has no command/);
  });

  test("more memory than the limit: killed, and it says so", async () => {
    const limits = { cpuRequestMillis: 10, memoryLimitBytes: 32 * 1024 * 1024 };
    const run = runOf("tail /dev/zero", {}, { run: { limits } });
    const { observed } = await ran(run);
    assert.equal(observed.outOfMemory, true);
    assert.match(observed.message ?? "", /more memory than its limit/);
    await discard(run);
  });

  test("what the main process leaves running is ended with it", async () => {
    const run = runOf("setsid sleep 1000 & sleep 0.1; exit 4");
    assert.equal((await ran(run)).observed.exitCode, 4);
    const cgroup = `${run.ref.podUid}/main.0`;
    await eventually("an empty cgroup", async () => node.tree.pids(cgroup).length === 0 || undefined);
    await discard(run);
    assert.equal(node.tree.exists(run.ref.podUid), false);
  });

  test("a run that ended by a signal has both the signal and the shell's exit code", async () => {
    const run = runOf("kill -15 $$");
    const { observed } = await ran(run);
    assert.deepEqual([observed.signal, observed.exitCode, observed.message], [15, 143, "ended by signal 15"]);
    await discard(run);
  });

  test("stop: every process is asked, and one that cleans up has its grace", async () => {
    const run = runOf(
      "trap 'sleep 0.2; echo clean; exit 0' TERM; (trap 'echo child; exit' TERM; echo ready; while :; do sleep 0.01; done) & echo up; wait",
    );
    await driver.start(run);
    await eventually(
      "both are up",
      async () => (await textOf(driver.logs(run.ref, {}))).stdout.length === "up\nready\n".length || undefined,
    );
    await driver.stop(run.ref, { graceMs: 5000 });
    assert.deepEqual((await textOf(driver.logs(run.ref, {}))).stdout.split("\n").sort(), [
      "",
      "child",
      "clean",
      "ready",
      "up",
    ]);
    assert.equal((await ended(run)).exitCode, 0);
    await discard(run);
  });

  test("the next run of a container starts only when the one before has left nothing", async () => {
    const run = runOf("setsid sleep 1000 & exit 1");
    await driver.start(run);
    const second = nextRun({ ...run, spec: { ...run.spec, command: ["sleep", "1000"] } });
    await ended(run);
    await driver.start(second);
    assert.deepEqual(node.tree.pids(`${run.ref.podUid}/main.0`), []);
    for (const each of [run, second]) await driver.remove(each.ref);
    await driver.release(run.ref.podUid);
  });

  test("release leaves alone what another driver runs in the same pod", async () => {
    const run = runOf("exit 0");
    await ran(run);
    const keeper = node.connect();
    const cgroup = `${run.ref.podUid}/other`;
    const spec = node.spec("other", ["sleep", "1000"], { id: `${run.ref.podUid}/other/0/main`, cgroup });
    await keeper.spawn(spec);
    await discard(run);
    assert.equal(node.tree.pids(cgroup).length, 1);
    assert.ok(
      (await driver.list()).every(({ ref }) => ref.podUid !== run.ref.podUid),
      "it is not this driver's",
    );
    await keeper.removeCgroup(run.ref.podUid);
  });

  test("exec and probes run in the process' own context; one that is too slow fails with words", async () => {
    const run = runOf("sleep 1000", { process: { user: "nobody" }, env: [{ name: "A", value: "b" }] });
    await driver.start(run);
    const session = await driver.exec(run.ref, {
      command: ["sh", "-c", "id -u; echo $A; pwd"],
      tty: false,
      stdin: false,
    });
    const { stdout } = await textOf(session.output);
    assert.match(stdout, /^65534\nb\n.*\/sandbox\n$/);
    assert.deepEqual(
      await driver.probe(run.ref, ["sh", "-c", "echo out; echo err >&2; exit 3"], 5000).then((it) => it.exitCode),
      3,
    );
    assert.equal((await driver.probe(run.ref, ["seq", "100000"], 5000)).output.length, 4096);
    await assert.rejects(
      driver.probe(run.ref, ["sleep", "1000"], 200),
      /"sleep 1000" timed out: it did not end within 0.2 s/,
    );
    await discard(run);
    await assert.rejects(driver.probe(run.ref, ["true"], 200), /container main does not run/);
  });

  test("volumes: a link at a relative path, nothing for the host's own path, and a refusal elsewhere", async () => {
    const hostPath = join(node.dir, "volume");
    mkdirSync(hostPath);
    writeFileSync(join(hostPath, "data"), "kept\n");
    const mounts = [
      { hostPath, mountPath: "vol/one", readOnly: false },
      { hostPath, mountPath: hostPath, readOnly: false },
    ];
    const run = runOf("cat vol/one/data", {}, { run: { mounts } });
    assert.equal((await ran(run)).stdout, "kept\n");
    await discard(run);
    assert.equal(readFileSync(join(hostPath, "data"), "utf8"), "kept\n", "the volume outlives the sandbox");
    const refused = runOf("true", {}, { run: { mounts: [{ hostPath, mountPath: "/data", readOnly: false }] } });
    await assert.rejects(driver.prepare(refused, {}), /cannot have .*volume at \/data; use a path relative/);
  });

  test("output stays bounded", async () => {
    const small = new ProcessDriver({
      ...{ keeper: node.connect(), tree: node.tree, dataDir: join(node.dir, "runs"), logBytes: 65_536 },
    });
    const run = runOf("i=0; while [ $i -lt 10000 ]; do echo a line of some length, number $i; i=$((i+1)); done");
    await small.start(run);
    await ended(run);
    const logs = join(node.dir, "runs", run.ref.podUid, "main.0", "logs");
    const total = readdirSync(logs).reduce((sum, name) => sum + statSync(join(logs, name)).size, 0);
    assert.ok(total > 0 && total <= 65_536, String(total));
    await discard(run);
  });

  describe("fetch", () => {
    const files: Record<string, Uint8Array | number> = {};
    const server = createServer((request, response) => {
      const file = files[request.url ?? ""] ?? 404;
      if (typeof file === "number") response.writeHead(file).end();
      else response.end(file);
    });
    let url: string;
    before(async () => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const source = join(node.dir, "source");
      mkdirSync(join(source, "app"), { recursive: true });
      writeFileSync(join(source, "app/run.sh"), "#!/bin/sh\necho ran\n", { mode: 0o755 });
      files["/app.tar.gz"] = execFileSync("tar", ["-czC", source, "app"]);
      files["/tool"] = Buffer.from("#!/bin/sh\necho tool\n");
      files["/big"] = Buffer.alloc(2 * 1024 * 1024);
      files["/broken.tar.gz"] = Buffer.from("not a tarball");
      files["/busy"] = 503;
    });
    after(() => server.close());

    const fetching = (script: string, fetch: NonNullable<Container["process"]>["fetch"] = []) =>
      runOf(script, { process: { user: "nobody", fetch } });

    test("archives are unpacked, executables can be executed, files are copied, all owned by the user", async () => {
      const run = fetching("app/run.sh; ./tool; cat conf/hosts | wc -l; stat -c %U app/run.sh tool conf conf/hosts", [
        { uri: `${url}/app.tar.gz` },
        { uri: `${url}/tool`, executable: true },
        { uri: "file:///etc/hosts", destPath: "conf/hosts" },
      ]);
      const said: string[] = [];
      await driver.prepare(run, { progress: (message) => said.push(message) });
      const { stdout, stderr } = await ran(run);
      assert.match(stdout, /^ran\ntool\n\d+\nnobody\nnobody\nnobody\nnobody\n$/, stderr);
      assert.deepEqual(said[1], `fetching ${url}/tool (2 of 3)`);
      await discard(run);
    });

    const failures: { why: string; uri: () => string; says: RegExp; temporary: boolean }[] = [
      { why: "not found", uri: () => `${url}/none`, says: /answered 404/, temporary: false },
      { why: "server busy", uri: () => `${url}/busy`, says: /answered 503/, temporary: true },
      { why: "nobody listens", uri: () => "http://127.0.0.1:1/x", says: /fetch: http:\/\/127/, temporary: true },
      { why: "too large", uri: () => `${url}/big`, says: /larger than 1048576 bytes/, temporary: false },
      { why: "a broken archive", uri: () => `${url}/broken.tar.gz`, says: /tar|gzip/, temporary: false },
      { why: "unknown scheme", uri: () => "hdfs://x/y", says: /hdfs:\/\/ cannot/, temporary: false },
      {
        why: "a file its user may not read",
        uri: () => "file:///etc/shadow",
        says: /ermission denied/,
        temporary: false,
      },
    ];
    for (const { why, uri, says, temporary } of failures) {
      test(`${why}: refused with words, and ${temporary ? "worth" : "not worth"} another try`, async () => {
        const run = fetching("true", [{ uri: uri() }]);
        await assert.rejects(driver.prepare(run, {}), (error: Error & { temporary?: boolean; reason?: string }) => {
          assert.match(error.message, says);
          assert.deepEqual([error.temporary, error.reason], [temporary, "FetchError"]);
          return true;
        });
        await driver.release(run.ref.podUid);
      });
    }

    test("an archive of many files, too large together, is not unpacked; nor one with a device or a way up", async () => {
      const source = join(node.dir, "bomb");
      mkdirSync(source);
      const parts = Array.from({ length: 8 }, (_, n) => `part${n}`);
      for (const part of parts) writeFileSync(join(source, part), Buffer.alloc(500_000));
      execFileSync("mknod", [join(source, "null"), "c", "1", "3"]);
      files["/bomb.tar.gz"] = execFileSync("tar", ["-czC", source, ...parts]);
      files["/device.tar"] = execFileSync("tar", ["-cC", source, "null"]);
      files["/up.tar"] = execFileSync("tar", ["-cPC", source, "--transform=s,^,../up/,", "part0"]);
      execFileSync("zip", ["-qj", join(node.dir, "bomb.zip"), ...parts.map((part) => join(source, part))]);
      files["/bomb.zip"] = readFileSync(join(node.dir, "bomb.zip"));
      const cases = {
        "bomb.tar.gz": /larger than/,
        "bomb.zip": /larger than/,
        "device.tar": /device/,
        "up.tar": /leads out/,
      };
      for (const [name, says] of Object.entries(cases)) {
        const run = fetching("true", [{ uri: `${url}/${name}` }]);
        await assert.rejects(driver.prepare(run, {}), says, name);
        const sandbox = join(node.dir, "runs", run.ref.podUid, "main.0", "sandbox");
        assert.deepEqual(readdirSync(sandbox), [name]);
        await driver.release(run.ref.podUid);
      }
      rmSync(join(source, "null"));
      const run = fetching("true", [{ uri: `file://${source}/`, destPath: "copy" }]);
      await assert.rejects(driver.prepare(run, {}), /larger than 1048576 bytes/);
      await driver.release(run.ref.podUid);
    });

    test("an archive cannot write through a link that one before it has made", async () => {
      const [first, second] = [join(node.dir, "first"), join(node.dir, "second")];
      const outside = join(node.dir, "through");
      mkdirSync(outside);
      chmodSync(outside, 0o777);
      mkdirSync(first);
      symlinkSync(outside, join(first, "way"));
      mkdirSync(join(second, "way"), { recursive: true });
      writeFileSync(join(second, "way/file"), "");
      files["/first.tar"] = execFileSync("tar", ["-cC", first, "way"]);
      files["/second.tar"] = execFileSync("tar", ["-cC", second, "way/file"]);
      const run = fetching("true", [{ uri: `${url}/first.tar` }, { uri: `${url}/second.tar` }]);
      await assert.rejects(driver.prepare(run, {}), /leads out of the sandbox/);
      assert.deepEqual(readdirSync(outside), []);
      await driver.release(run.ref.podUid);
    });

    test("an archive whose link leads out of the sandbox gives the next file no way out", async () => {
      const source = join(node.dir, "evil");
      mkdirSync(source);
      mkdirSync(join(node.dir, "outside"), { mode: 0o777 });
      symlinkSync(join(node.dir, "outside"), join(source, "way"));
      files["/evil.tar"] = execFileSync("tar", ["-cC", source, "way"]);
      const run = fetching("true", [{ uri: `${url}/evil.tar` }, { uri: `${url}/tool`, destPath: "way/sub/tool" }]);
      await assert.rejects(driver.prepare(run, {}), /leads out of the sandbox|ermission denied/);
      assert.deepEqual(existsSync(join(node.dir, "outside/sub/tool")), false);
      await driver.release(run.ref.podUid);
    });
  });
});
