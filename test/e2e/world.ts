/** One styr with a state directory, a Docker Engine and a registry of its own, started and used as a person would: through its commands. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
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

/** A command that goes on: its output so far, and its end. */
export interface Running {
  readonly child: ChildProcess;
  output(): string;
  ended(): Promise<void>;
}

export interface WorldOptions {
  readonly registry?: boolean;
  /** Where styr is told to look for Docker; default the world's own engine. */
  readonly dockerHost?: string;
  /** A folder for the state that exists already. */
  readonly state?: string;
}

export interface UpOptions {
  readonly flags?: readonly string[];
  /** Words before the command, as `unshare --mount …`; the last of them must exec what follows. */
  readonly before?: readonly string[];
}

export interface World {
  readonly state: string;
  readonly engine: Engine;
  readonly httpUrl: string;
  readonly tlsUrl: string;
  /** For files that a test writes; goes with the world. */
  readonly folder: string;
  /** What commands are started with. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes a file below `folder` and gives its path. */
  file(name: string, text: string): string;
  /** All that `styr up` has said since it was started last. */
  said(): string;
  /** Process of `styr up`. */
  pid(): number;
  run(command: string, args: readonly string[], input?: string): Promise<Finished>;
  /** Starts `styr ARGS…` and leaves it running. */
  start(...args: readonly string[]): Running;
  /** `styr up` that is expected to end. */
  upEnds(...flags: readonly string[]): Promise<Finished>;
  /** Runs `styr ARGS…` against this world's server. */
  styr(args: readonly string[], input?: string): Promise<Finished>;
  /** The same, and fails with all it printed unless it ends with 0. */
  must(...args: readonly string[]): Promise<string>;
  /** Starts `styr up` and resolves when it says that it is up. */
  up(options?: UpOptions): Promise<ChildProcess>;
  /** Ctrl-C or another signal, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<string>;
  kill9(): Promise<void>;
  /** One Docker Engine API call's JSON, by the docker client. */
  docker(...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** Undefined when worlds can be made here; else why not, for `skip`. */
export const cannot: string | undefined = canRunEngine();

export async function makeWorld(options: WorldOptions = {}): Promise<World> {
  const registry: Registry | undefined = options.registry ? await startRegistry() : undefined;
  await registry?.putImages(testImages());
  const engine = await startEngine(registry ? { registry } : {});
  // In the engine's folder, so that what a killed test leaves behind is swept with it.
  const state = options.state ?? join(engine.dir, "world");
  const folder = join(engine.dir, "files");
  for (const path of [state, folder]) mkdirSync(path, { recursive: true });
  const [tlsPort, httpPort] = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    DOCKER_HOST: options.dockerHost ?? engine.socket,
    STYR_SERVER: `unix://${state}/styr.sock`,
    NO_COLOR: "1",
  };
  const place = ["--state", state, "--network", engine.network, "--pod-range", engine.podSubnet];
  const listen = ["--listen", `127.0.0.1:${tlsPort}`, "--http", `127.0.0.1:${httpPort}`];
  const upWords = ["up", ...place, "--cgroup", engine.cgroupRoot, ...listen, "--no-install", "--no-cluster-network"];
  let server: ChildProcess | undefined;
  let said = "";

  const run = (command: string, args: readonly string[], input?: string): Promise<Finished> =>
    new Promise((resolve, reject) => {
      const child = spawn(command, args, { env, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
      let [stdout, stderr] = ["", ""];
      child.stdout?.on("data", (data) => (stdout += data));
      child.stderr?.on("data", (data) => (stderr += data));
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code: code ?? (signal ? 128 : 1), stdout, stderr }));
      // A command may end without reading what it is given.
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(input);
    });

  const world: World = {
    state,
    engine,
    httpUrl: `http://127.0.0.1:${httpPort}`,
    tlsUrl: `https://127.0.0.1:${tlsPort}`,
    folder,
    env,
    file(name, text) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      return path;
    },
    said: () => said,
    pid() {
      assert.ok(server?.pid, "styr is up");
      return server.pid;
    },
    run,
    start(...args) {
      const child = spawn(STYR, args, { env, stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
      return { child, output: () => output, ended: () => ended(child) };
    },
    upEnds: (...flags) => run(STYR, [...upWords, ...flags]),
    styr: (args, input) => run(STYR, args, input),
    async must(...args) {
      const { code, stdout, stderr } = await run(STYR, args);
      assert.equal(code, 0, `styr ${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
      return stdout;
    },
    async up({ flags = [], before = [] } = {}) {
      said = "";
      const [command = STYR, ...words] = [...before, STYR, ...upWords, ...flags];
      const child = spawn(command, words, { env, stdio: ["ignore", "pipe", "pipe"] });
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
    async stop(signal = "SIGINT") {
      const child = server;
      assert.ok(child, "styr is up");
      child.kill(signal);
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
        if (existsSync(join(state, "place.json"))) await run(STYR, ["down", "--force", "--state", state]);
      } finally {
        engine.stop();
        for (const point of mountsBelow(state)) await run("umount", ["-l", point]);
        registry?.stop();
        // A mount itself is its maker's to take away.
        for (const name of existsSync(state) ? readdirSync(state) : [])
          rmSync(join(state, name), { recursive: true, force: true });
        if (options.state === undefined) rmSync(state, { recursive: true, force: true });
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
  return world;
}

function mountsBelow(folder: string): readonly string[] {
  const points = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  return points.filter((point) => point.startsWith(`${folder}/`)).toReversed();
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
    .filter((pid) => readIfThere(`/proc/${pid}/cmdline`).replaceAll("\0", " ").includes(text))
    .map(Number);
}

/** Processes that the world's keeper is the parent of: the main processes of apps and units. */
export function keptBy(world: World): readonly number[] {
  const keeper = pidsOf(`${world.state}/keeper `)[0];
  return keeper === undefined ? [] : pidsOf("").filter((pid) => parentOf(pid) === keeper);
}

/** proc(5): the fourth field of stat, after a name that may hold anything. */
function parentOf(pid: number): number {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}

/** What a world could leave behind on this machine. */
export function leftovers(world: World): readonly string[] {
  const cgroups = readdirSync("/sys/fs/cgroup", { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(`/sys/fs/cgroup/${entry.name}`)
          .filter((name) => name.startsWith(world.engine.cgroupRoot))
          .map((name) => `${entry.name}/${name}`)
      : [],
  );
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(world.state));
  return [
    ...pidsOf(world.state).map((pid) => `process ${pid}`),
    ...cgroups.map((path) => `cgroup ${path}`),
    ...mounts.map((line) => `mount ${line}`),
    ...(existsSync(world.state) ? [`folder ${world.state}`] : []),
    ...(existsSync(`/sys/class/net/${world.engine.network}`) ? [`bridge ${world.engine.network}`] : []),
  ];
}
