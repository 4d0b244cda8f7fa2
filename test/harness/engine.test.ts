import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, test } from "node:test";
import { canRunEngine, startEngine } from "./engine.ts";
import { testImages } from "./images.ts";
import { startRegistry } from "./registry.ts";

const skip = canRunEngine() ?? false;

describe("harness: private Docker Engine", { skip }, () => {
  test("pulls public names from the private registry, and leaves nothing behind", async () => {
    const registry = await startRegistry();
    const engine = await startEngine({ registry });
    const docker = (...args: string[]) => execFileSync("docker", ["-H", engine.socket, ...args], { encoding: "utf8" });
    try {
      await registry.putImages(testImages());
      for (const name of ["busybox:1", "python:3", "coolvds/nginx-custom:1.6"]) docker("pull", "-q", name);
      assert.equal(docker("run", "--rm", "busybox:1", "echo", "hello"), "hello\n");
      docker("run", "-d", "--name", "web", "python:3", "python3", "-m", "http.server", "8080");
      await engine.kill9();
      await engine.restart();
      assert.match(docker("ps", "--format", "{{.Names}} {{.Status}}"), /^web Up/, "live-restore keeps containers");
    } finally {
      engine.stop();
      registry.stop();
    }
    assertNothingLeft(engine.dir);
  });

  test("in a network of its own it has its own port 80, and the machine's rules stay as they are", async () => {
    const rules = () => execFileSync("iptables-save", { encoding: "utf8" }).replace(/\[\d+:\d+\]|^#.*$/gm, "");
    const before = rules();
    const engine = await startEngine({ network: "own" });
    try {
      const [file = "", ...prefix] = engine.enter;
      const inside = (...argv: string[]) => execFileSync(file, [...prefix, ...argv], { encoding: "utf8" });
      assert.match(inside("iptables-save"), /DOCKER-USER/);
      assert.match(inside("docker", "-H", engine.socket, "network", "ls"), /bridge/);
    } finally {
      engine.stop();
    }
    assert.equal(rules(), before);
    assertNothingLeft(engine.dir);
    assert.ok(!existsSync(`/run/netns/${basename(engine.dir)}`), "no network namespace is left");
  });

  test("is swept also when its test process is killed", async () => {
    const code = `import { startEngine } from ${JSON.stringify(new URL("engine.ts", import.meta.url).href)};
      const engine = await startEngine(); console.log(engine.dir); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const dir = await new Promise<string>((resolve) =>
      child.stdout.once("data", (data) => resolve(String(data).trim())),
    );
    assert.ok(existsSync(dir));
    child.kill("SIGKILL");
    const deadline = Date.now() + 15_000;
    while (existsSync(dir) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    assertNothingLeft(dir);
  });
});

function assertNothingLeft(dir: string): void {
  const name = basename(dir);
  assert.ok(!existsSync(dir), `${dir} is gone`);
  assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(dir), "no mounts are left");
  assert.ok(!execFileSync("ip", ["link"], { encoding: "utf8" }).includes(name.slice(-6)), "no bridges are left");
  for (const hierarchy of readdirSync("/sys/fs/cgroup"))
    assert.ok(!existsSync(`/sys/fs/cgroup/${hierarchy}/${name}`), `no cgroup is left in ${hierarchy}`);
  const commands = readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => commandOf(pid));
  assert.deepEqual(
    commands.filter((command) => command.includes(`${dir}/`)),
    [],
    "no processes are left",
  );
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}
