/** That a lab's hosts are hosts, that styr takes them for such, and that nothing is left of them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { testImages } from "../harness/images.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { canRunLab } from "./harness/can-run-lab.ts";
import { runningContainers, startEngine } from "./harness/engines.ts";
import type { Host } from "./harness/host.ts";
import { Lab } from "./harness/lab.ts";
import { copyProgram, type Program } from "./harness/program.ts";
import { mustStyr, STYR, startStyr } from "./harness/styr.ts";
import { leftOfLab, sweepStaleLabs } from "./harness/sweep-lab.ts";
import { until } from "./harness/wait.ts";

const MIB = 2 ** 20;

const POD = `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: web, image: "coolvds/nginx-custom:1.6", ports: [{ containerPort: 80, hostPort: 8080 }] }]
`;

describe("lab: hosts on one machine", { skip: canRunLab() ?? false }, () => {
  let lab: Lab;
  let registry: Registry;
  let program: Program;
  let hosts: readonly Host[];

  before(async () => {
    lab = await Lab.open({ hosts: [{ diskBytes: 64 * MIB }, {}] });
    hosts = lab.hosts;
    registry = await startRegistry(lab.fabric.testAddress);
    await registry.putImages(testImages());
    program = copyProgram(join(lab.dir, "program"));
  });

  after(() => {
    registry?.stop();
    lab?.close();
    assert.deepEqual(lab?.left(), []);
  });

  const onEach = (...argv: string[]) => Promise.all(hosts.map(async (host) => (await host.must(argv)).trim()));

  test("each has its own name, machine id, processes, cgroups and disk", async () => {
    assert.deepEqual(await onEach("hostname"), ["h1", "h2"]);
    assert.equal(new Set(await onEach("cat", "/etc/machine-id")).size, 2);
    assert.deepEqual(await onEach("cat", "/proc/1/comm"), ["tini", "tini"]);
    for (const text of await onEach("cat", "/proc/1/cgroup")) assert.match(text, /^\d+:freezer:\/$/m);
    const small = hosts[0] as Host;
    const full = await small.run(["dd", "if=/dev/zero", "of=/var/lib/styrmann/filler", "bs=1M"]);
    assert.match(full.stderr, /No space left on device/);
    await small.must(["rm", "/var/lib/styrmann/filler"]);
  });

  test("a cable that is out, a cut pair, and one direction alone", async () => {
    const [a, b] = hosts as [Host, Host];
    const hears = async (from: Host, to: Host) =>
      (await from.run(["busybox", "ping", "-c1", "-W1", to.name])).code === 0;
    assert.ok(await hears(a, b));
    lab.fabric.cable(1, false);
    assert.ok(!(await hears(a, b)));
    lab.heal(a);
    lab.cut(a, [b], ["in"]);
    assert.ok(!(await hears(b, a)));
    lab.heal(a);
    await until("they hear each other again", () => hears(b, a));
  });

  test("a host that is frozen stands still, and goes on", async () => {
    const [a] = hosts as [Host];
    a.start("counter", ["sh", "-c", "while :; do date +%s.%N; sleep 0.02; done"]);
    await until("it counts", () => a.log("counter") !== "");
    await a.freeze();
    const seen = a.log("counter");
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(a.log("counter"), seen);
    a.thaw();
    await until("it counts again", () => a.log("counter").length > seen.length);
    await a.signal("counter", "SIGKILL");
  });

  test("styr up runs a pod on each with all its defaults; power off and on keeps the disks and nothing else", async () => {
    await Promise.all(hosts.map((host) => startEngine(host, { mirror: registry.url })));
    await Promise.all(hosts.map((host) => startStyr(host, program, ["up", "--no-install"])));
    for (const host of hosts) await mustStyr(host, program, ["apply", "-f", "-"], { input: POD });
    for (const host of hosts)
      await until(`${host.name} serves`, () => serves(host), { seen: () => mustStyr(host, program, ["why", "web"]) });
    const [a, b] = hosts as [Host, Host];
    const [bootA, before] = [await bootIdOf(a), await runningContainers(b)];
    a.powerOff();
    assert.deepEqual(a.find(""), []);
    assert.ok(await serves(b));
    await a.powerOn();
    await startEngine(a, { mirror: registry.url });
    await startStyr(a, program, ["up", "--no-install"]);
    await until(`${a.name} serves again`, () => serves(a));
    assert.notEqual(await bootIdOf(a), bootA);
    assert.deepEqual(await runningContainers(b), before, "the other host felt nothing");
  });

  test("kill -9 of an engine and of styr touches no container", async () => {
    const [a] = hosts as [Host];
    const before = await runningContainers(a);
    for (const name of ["dockerd", "containerd", STYR]) await a.signal(name, "SIGKILL");
    await startEngine(a, { mirror: registry.url });
    await startStyr(a, program, ["up", "--no-install"]);
    await until("its pod is ready", async () => /web.*Running/i.test(await mustStyr(a, program, ["ps"])), {
      seen: () => mustStyr(a, program, ["ps"]),
    });
    assert.deepEqual(await runningContainers(a), before);
  });

  const bootIdOf = async (host: Host) => (await host.must(["cut", "-d", " ", "-f", "22", "/proc/1/stat"])).trim();
});

async function serves(host: Host): Promise<boolean> {
  try {
    return (await fetch(`http://${host.address}:8080/`, { signal: AbortSignal.timeout(2000) })).ok;
  } catch (error) {
    if (error instanceof TypeError || (error as Error).name === "TimeoutError") return false;
    throw error;
  }
}

describe("lab: a test that is killed", { skip: canRunLab() ?? false }, () => {
  test("leaves nothing of its lab behind", async () => {
    const { child, note } = await labOfAnother();
    child.kill("SIGKILL");
    const left = () => leftOfLab(note.dir, note);
    await until("all of it is gone", () => left().length === 0, { seen: () => left().join("\n"), withinMs: 20_000 });
  });

  test("together with its sweeper: the next run sweeps", async () => {
    const { child, note } = await labOfAnother();
    process.kill(note.sweeper, "SIGKILL");
    child.kill("SIGKILL");
    await until("the test has ended", () => child.signalCode !== null);
    assert.ok(leftOfLab(note.dir, note).length > 0);
    assert.ok(sweepStaleLabs().includes(note.dir));
    assert.deepEqual(leftOfLab(note.dir, note), []);
  });
});

/** A lab of two hosts, one of them frozen, in a test process of its own. */
async function labOfAnother() {
  const code = `import { Lab } from ${JSON.stringify(new URL("harness/lab.ts", import.meta.url).href)};
    const lab = await Lab.open({ hosts: [{ diskBytes: ${MIB} }, {}] }); await lab.host(2).freeze();
    console.log(JSON.stringify(lab.note)); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const said = await new Promise<string>((resolve) => child.stdout.once("data", (data) => resolve(String(data))));
  const note = JSON.parse(said) as Lab["note"];
  assert.ok(leftOfLab(note.dir, note).length > 0);
  return { child, note };
}
