import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { HostFacts } from "./check.ts";
import { checks } from "./checks.ts";
import { findEngine, usualHosts } from "./find-engine.ts";
import { parseControllers, parseDistributions, readHostFacts } from "./host-facts.ts";
import { commandRunner, installEngine, installRefusal } from "./install-engine.ts";
import { daemonCommand } from "./start-engine.ts";

const good: HostFacts = {
  ...{
    platform: "linux",
    architecture: "x64",
    nodeMajor: 24,
    isRoot: true,
    hasSystemd: true,
    distributions: ["debian"],
  },
  ...{
    cgroupVersion: 2,
    cgroupControllers: ["cpuset", "cpu", "io", "memory", "pids"],
    filesystems: ["ext4", "overlay"],
  },
  ...{ hasIptables: true, freeStateBytes: 10 ** 10, memoryBytes: 8 * 10 ** 9 },
};

describe("host checks", () => {
  test("a good host passes all of them", () => {
    assert.deepEqual(
      checks.map((check) => check(good)).filter(({ ok }) => !ok),
      [],
    );
  });

  const bad: readonly (readonly [string, Partial<HostFacts>])[] = [
    ["platform", { platform: "darwin" }],
    ["node-version", { nodeMajor: 20 }],
    ["root", { isRoot: false }],
    ["cgroups", { cgroupVersion: undefined, cgroupControllers: [] }],
    ["cgroups", { cgroupControllers: ["cpu", "pids"] }],
    ["overlay", { filesystems: ["ext4"] }],
    ["iptables", { hasIptables: false }],
    ["disk-space", { freeStateBytes: 1000 }],
    ["memory", { memoryBytes: 1000 }],
  ];
  for (const [name, change] of bad)
    test(`${name} fails with words and a way out: ${JSON.stringify(change)}`, () => {
      const failed = checks.map((check) => check({ ...good, ...change })).filter(({ ok }) => !ok);
      assert.deepEqual(
        failed.map((result) => result.name),
        [name],
      );
      assert.ok(failed[0]?.message && failed[0].fix);
    });

  test("this host's facts can be read", async () => {
    const facts = await readHostFacts({ stateDir: "/var/lib/not/there/yet", path: "/usr/bin" });
    assert.equal(facts.platform, process.platform);
    assert.ok(facts.freeStateBytes > 0);
  });

  test("Ubuntu's kin are known by what they are like", () => {
    assert.deepEqual(parseDistributions('NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n'), [
      "linuxmint",
      "ubuntu",
      "debian",
    ]);
    assert.deepEqual(parseDistributions(""), []);
  });

  test("a v1 controller counts when it is enabled and mounted", () => {
    const cgroups = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t3\t1\nmemory\t2\t3\t0\npids\t3\t1\t1\n";
    const mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu,cpuacct 0 0\n";
    assert.deepEqual(parseControllers(cgroups, mounts), ["cpu"]);
  });
});

describe("finding a Docker Engine", () => {
  const version = { Version: "20.10.24", ApiVersion: "1.41" };
  const serve = async (t: { after(fn: () => Promise<void>): void }, body: unknown): Promise<string> => {
    const dir = await mkdtemp(join(tmpdir(), "styr-doctor-"));
    const server = createServer((_, response) => response.end(JSON.stringify(body)));
    await new Promise<void>((resolve) => server.listen(join(dir, "docker.sock"), resolve));
    t.after(async () => {
      server.close();
      await rm(dir, { recursive: true });
    });
    return dir;
  };

  test("DOCKER_HOST wins, and its version is told", async (t) => {
    const host = `unix://${await serve(t, version)}/docker.sock`;
    assert.deepEqual(await findEngine({ dockerHost: host }), {
      found: true,
      host,
      version: "20.10.24",
      apiVersion: "1.41",
    });
  });

  test("without it the user's own socket is found too", async (t) => {
    const runtimeDir = await serve(t, version);
    const found = await findEngine({ runtimeDir });
    assert.ok(found.found && found.host.startsWith("unix://"));
  });

  test("what is no engine, or nothing, is told in words", async (t) => {
    const host = `unix://${await serve(t, { hello: 1 })}/docker.sock`;
    const [other, nothing] = [
      await findEngine({ dockerHost: host }),
      await findEngine({ dockerHost: "unix:///no/such.sock" }),
    ];
    assert.ok(!other.found && /is no Docker Engine/.test(other.message));
    assert.ok(
      !nothing.found &&
        /no Docker Engine answers at DOCKER_HOST: unix:\/\/\/no\/such\.sock \(no such socket\)/.test(nothing.message),
    );
    assert.deepEqual([other.found || other.hasSocket, nothing.found || nothing.hasSocket], [true, false]);
  });

  test("the system's socket comes first", () => {
    assert.deepEqual(usualHosts({ home: "/home/u", runtimeDir: "/run/user/7" }).slice(0, 2), [
      "unix:///var/run/docker.sock",
      "unix:///run/user/7/docker.sock",
    ]);
  });
});

describe("installing a Docker Engine", () => {
  test("only root on Debian or Ubuntu may, and the words say why not", async () => {
    assert.equal(installRefusal(good), undefined);
    assert.match(installRefusal({ ...good, isRoot: false }) ?? "", /needs root/);
    assert.match(installRefusal({ ...good, distributions: ["fedora"] }) ?? "", /this is fedora, not Debian or Ubuntu/);
    const refused = await installEngine(
      { ...good, isRoot: false },
      { run: () => assert.fail("nothing may run"), progress: () => undefined },
    );
    assert.equal(refused.installed, false);
  });

  test("apt-get does it, says what it does, and its errors are told", async () => {
    const ran: string[] = [];
    const said: string[] = [];
    const done = await installEngine(good, {
      run: async (argv) => {
        ran.push(argv.join(" "));
        return { exitCode: 0, output: "" };
      },
      progress: (line) => said.push(line),
    });
    assert.equal(done.installed, true);
    assert.match(ran.at(-1) ?? "", /^apt-get .*install -y --no-install-recommends docker\.io/);
    assert.match(said[0] ?? "", /^\$ apt-get .*update/);
    const failing = async () => ({ exitCode: 100, output: "Reading…\nE: Unable to locate package docker.io" });
    const failed = await installEngine(good, { run: failing, progress: () => undefined });
    assert.ok(!failed.installed && /exit code 100: E: Unable to locate package docker\.io/.test(failed.message));
  });

  test("commands run without a shell, with their lines and exit codes", async () => {
    const lines: string[] = [];
    const run = commandRunner({ PATH: "/usr/bin:/bin" });
    assert.equal((await run(["printf", "a\\nb;$(x)\\n"], (line) => lines.push(line))).exitCode, 0);
    assert.deepEqual(lines, ["a", "b;$(x)"]);
    assert.equal((await run(["/no/such/program"], () => undefined)).exitCode, 127);
  });

  test("a daemon of our own keeps containers when it is away, and finds its tools", () => {
    const { argv, env } = daemonCommand("/opt/bin");
    assert.ok(argv.includes("--live-restore"));
    assert.match(env.PATH ?? "", /^\/opt\/bin:.*\/usr\/sbin/);
  });
});
