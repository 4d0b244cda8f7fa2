/** One styr with a state directory, a Docker Engine and a registry of its own, started and used as a person would: through its commands. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { canRunEngine, type Engine, startEngine } from "../harness/engine.ts";
import { testImages } from "../harness/images.ts";
import { freePort, type Registry, startRegistry } from "../harness/registry.ts";

const PROJECT = join(import.meta.dirname, "../..");
const STYR = join(PROJECT, "node_modules/.bin/styr");

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface World {
  readonly state: string;
  readonly engine: Engine;
  readonly httpUrl: string;
  /** Runs `styr ARGS…` against this world's server. */
  styr(args: readonly string[], input?: string): Promise<Finished>;
  /** The same, and fails with all it printed unless it ends with 0. */
  must(...args: readonly string[]): Promise<string>;
  /** Starts `styr up` and resolves when it says that it is up. */
  up(...flags: readonly string[]): Promise<ChildProcess>;
  /** Ctrl-C, and waits for the end. */
  stop(): Promise<string>;
  kill9(): Promise<void>;
  /** One Docker Engine API call's JSON, by the docker client. */
  docker(...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** Undefined when worlds can be made here; else why not, for `skip`. */
export const cannot: string | undefined = canRunEngine();

export async function makeWorld(options: { readonly registry?: boolean } = {}): Promise<World> {
  const registry: Registry | undefined = options.registry ? await startRegistry() : undefined;
  await registry?.putImages(testImages());
  const engine = await startEngine(registry ? { registry } : {});
  const state = mkdtempSync(join(tmpdir(), "styr-world-"));
  const [tlsPort, httpPort] = [await freePort(), await freePort()];
  const env = { ...process.env, DOCKER_HOST: engine.socket, STYR_SERVER: `unix://${state}/styr.sock`, NO_COLOR: "1" };
  let server: ChildProcess | undefined;
  let said = "";

  const run = (command: string, args: readonly string[], input?: string): Promise<Finished> =>
    new Promise((resolve, reject) => {
      const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "pipe"] });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (data) => (stdout += data));
      child.stderr.on("data", (data) => (stderr += data));
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code: code ?? (signal ? 128 : 1), stdout, stderr }));
      child.stdin.end(input ?? "");
    });

  const world: World = {
    state,
    engine,
    httpUrl: `http://127.0.0.1:${httpPort}`,
    styr: (args, input) => run(STYR, args, input),
    async must(...args) {
      const { code, stdout, stderr } = await run(STYR, args);
      assert.equal(code, 0, `styr ${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
      return stdout;
    },
    async up(...flags) {
      const place = [
        "--state",
        state,
        "--network",
        engine.network,
        "--pod-range",
        engine.podSubnet,
        "--cgroup",
        engine.cgroupRoot,
      ];
      const listen = ["--listen", `127.0.0.1:${tlsPort}`, "--http", `127.0.0.1:${httpPort}`];
      said = "";
      const child = spawn(STYR, ["up", ...place, ...listen, "--no-install", ...flags], {
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      server = child;
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
      await until(
        "styr up says that it is up",
        () => {
          assert.equal(child.exitCode, null, `styr up ended at once:\n${said}`);
          return said.includes("Ctrl-C stops styr");
        },
        () => said,
      );
      return child;
    },
    async stop() {
      const child = server;
      assert.ok(child, "styr is up");
      child.kill("SIGINT");
      await ended(child);
      return said;
    },
    async kill9() {
      const child = server;
      assert.ok(child, "styr is up");
      child.kill("SIGKILL");
      await ended(child);
    },
    async docker(...args) {
      const { code, stdout, stderr } = await run("docker", ["-H", engine.socket, ...args]);
      assert.equal(code, 0, `docker ${args.join(" ")}: ${stderr}`);
      return stdout.trim();
    },
    async close() {
      if (server && server.exitCode === null && server.signalCode === null) {
        server.kill("SIGKILL");
        await ended(server);
      }
      try {
        if (existsSync(join(state, "place.json"))) await run(STYR, ["down", "--state", state]);
      } finally {
        engine.stop();
        registry?.stop();
        rmSync(state, { recursive: true, force: true });
      }
    },
  };
  return world;
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("close", () => resolve()));
}

/** Waits for a condition; when it does not come true in time, fails saying which it was and what was seen. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  seen: () => string | Promise<string> = () => "",
  deadlineMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await check())) {
    if (performance.now() > deadline) assert.fail(`not in ${deadlineMs / 1000} s: ${what}\n${await seen()}`);
    await delay(100);
  }
}

/** Pids of processes whose command line holds `text`. */
export function pidsOf(text: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").includes(text);
      } catch (error) {
        if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
        throw error;
      }
    })
    .map(Number);
}

/** What a world could leave behind on this machine. */
export function leftovers(world: World): readonly string[] {
  const cgroups = readdirSync("/sys/fs/cgroup").filter((controller) =>
    existsSync(`/sys/fs/cgroup/${controller}/${world.engine.cgroupRoot}`),
  );
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(world.state));
  return [
    ...pidsOf(world.state).map((pid) => `process ${pid}`),
    ...cgroups.map((controller) => `cgroup ${controller}/${world.engine.cgroupRoot}`),
    ...mounts.map((line) => `mount ${line}`),
    ...(existsSync(world.state) ? [`folder ${world.state}`] : []),
    ...(existsSync(`/sys/class/net/${world.engine.network}`) ? [`bridge ${world.engine.network}`] : []),
  ];
}
