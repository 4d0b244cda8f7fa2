/**
 * A private Docker Engine for one test file: own containerd, data, sockets, bridge, addresses and cgroups, in a temporary folder; any
 * number run at once on one machine. Root and Debian's docker.io are needed (`canRunEngine` says why not).
 *
 *     const registry = await startRegistry();                   // optional: a registry, and images under public names (images.ts)
 *     await registry.putImages(testImages());
 *     const engine = await startEngine({ registry });           // `docker pull python:3` now works without a network
 *     after(() => { engine.stop(); registry.stop(); });
 *
 *     engine.socket        "unix:///tmp/…/docker.sock", as DOCKER_HOST wants it
 *     engine.podSubnet     a free /24 for the driver's own bridge network; engine.network its name
 *     engine.cgroupRoot    the top-level cgroup for the driver's pods, removed at stop
 *     engine.kill9() / restart() / freeze() / thaw()            crash, start again, SIGSTOP, SIGCONT of dockerd alone
 *     engine.stop()        kills everything and leaves nothing; happens by itself when the test process ends, also by SIGKILL
 *
 * Engines share the machine's network namespace, so that addresses of containers and published ports answer from the test; therefore they
 * run with --iptables=false (two daemons flush each other's chains) and with the userland proxy. `network: "own"` gives an engine its own
 * namespace with iptables on, for tests that want port 80 to themselves: run what must reach it with `engine.enter` before its words.
 */
import type { ChildProcess } from "node:child_process";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { basename, join } from "node:path";
import { type AddressBlock, takeAddressBlock } from "./address-block.ts";
import { freezeProcess } from "./freeze-process.ts";
import type { Registry } from "./registry.ts";
import { makeSandbox, type Sandbox, waitForDaemon } from "./sandbox.ts";

export interface EngineOptions {
  /** Used as --registry-mirror. With `network: "own"` start the registry with the same `enter`. */
  readonly registry?: Pick<Registry, "url">;
  /** Containers survive the daemon's death. Default true. */
  readonly liveRestore?: boolean;
  readonly network?: "host" | "own";
  /** More words for dockerd. */
  readonly flags?: readonly string[];
}

export interface Engine {
  readonly dir: string;
  readonly socket: string;
  readonly socketPath: string;
  readonly podSubnet: string;
  readonly network: string;
  readonly cgroupRoot: string;
  /** Words to put before a command that must run in the engine's network namespace; empty with `network: "host"`. */
  readonly enter: readonly string[];
  readonly dockerdPid: () => number;
  kill9(): Promise<void>;
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
  stop(): void;
}

/** Undefined when a private engine can run here, else why not, in words. */
export function canRunEngine(): string | undefined {
  if (process.platform !== "linux") return "private Docker Engines need Linux";
  if (process.getuid?.() !== 0) return "private Docker Engines need root";
  const missing = ["dockerd", "containerd", "ip", "iptables"].filter((file) => spawnSync("which", [file]).status !== 0);
  return missing.length === 0
    ? undefined
    : `private Docker Engines need ${missing.join(", ")} (apt-get install docker.io iproute2 iptables)`;
}

export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const reason = canRunEngine();
  if (reason) throw new Error(reason);
  const block = takeAddressBlock();
  const own = options.network === "own";
  const sandbox = makeSandbox("engine", (dir) => ({
    // Beside the pods' cgroup a keeper has its own; it ends with them when a test is killed.
    cgroups: ["", "-pods", "-pods-keeper", "-pods-launch"].map((end) => `${basename(dir)}${end}`),
    block: block.prefix,
    ...(own ? { netns: basename(dir) } : {}),
  }));
  const engine = new PrivateEngine(sandbox, block, options);
  try {
    engine.layNetwork();
    await engine.startContainerd();
    await engine.restart();
    return engine;
  } catch (error) {
    sandbox.stop();
    throw error;
  }
}

class PrivateEngine implements Engine {
  readonly dir: string;
  readonly socket: string;
  readonly socketPath: string;
  readonly podSubnet: string;
  readonly network: string;
  readonly cgroupRoot: string;
  readonly enter: readonly string[];
  readonly #sandbox: Sandbox;
  readonly #block: AddressBlock;
  readonly #options: EngineOptions;
  readonly #bridge: string;
  readonly #name: string;
  #dockerd: ChildProcess | undefined;

  constructor(sandbox: Sandbox, block: AddressBlock, options: EngineOptions) {
    this.#sandbox = sandbox;
    this.#block = block;
    this.#options = options;
    this.dir = sandbox.dir;
    this.#name = basename(sandbox.dir);
    this.socketPath = join(this.dir, "docker.sock");
    this.socket = `unix://${this.socketPath}`;
    this.podSubnet = block.subnet(1);
    this.network = `styr-${this.#name.slice(-6)}`;
    this.cgroupRoot = `${this.#name}-pods`;
    // Interface names have at most 15 characters.
    this.#bridge = `stb-${this.#name.slice(-6)}`;
    this.enter = options.network === "own" ? ["nsenter", `--net=/run/netns/${this.#name}`, "--"] : [];
  }

  layNetwork(): void {
    if (this.#options.network === "own") {
      execFileSync("ip", ["netns", "add", this.#name]);
      this.#ip("link", "set", "lo", "up");
    }
    this.#ip("link", "add", "name", this.#bridge, "type", "bridge");
    this.#ip("addr", "add", `${this.#block.address(0, 1)}/24`, "dev", this.#bridge);
    this.#ip("link", "set", this.#bridge, "up");
  }

  async startContainerd(): Promise<void> {
    const base = join(this.dir, "containerd");
    mkdirSync(base);
    const config = join(base, "config.toml");
    writeFileSync(
      config,
      `version = 2\nroot = "${base}/root"\nstate = "${base}/state"\n` +
        `disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "${base}/containerd.sock"\n[ttrpc]\n  address = "${base}/containerd.sock.ttrpc"\n`,
    );
    this.#sandbox.spawn("containerd", [...this.enter, "containerd", "--config", config, "--log-level", "warn"]);
    await waitForDaemon(this.dir, "containerd", () => Promise.resolve(exists(join(base, "containerd.sock"))));
  }

  async restart(): Promise<void> {
    await this.kill9();
    rmSync(join(this.dir, "docker.pid"), { force: true });
    rmSync(this.socketPath, { force: true });
    this.#dockerd = this.#sandbox.spawn("dockerd", [...this.enter, "dockerd", ...this.#flags()]);
    await waitForDaemon(this.dir, "dockerd", () => answers(this.socketPath));
  }

  #flags(): string[] {
    const { registry, liveRestore, network, flags } = this.#options;
    const config = join(this.dir, "daemon.json");
    // Up to 20.10 the daemon's identity lies in /etc/docker, outside the folder; later versions do not know the word.
    const keyed = Number(/version (\d+)/.exec(execFileSync("dockerd", ["--version"], { encoding: "utf8" }))?.[1]) < 23;
    writeFileSync(config, JSON.stringify(keyed ? { "deprecated-key-path": join(this.dir, "key.json") } : {}));
    return [
      ...["--config-file", config, "--data-root", join(this.dir, "data"), "--exec-root", join(this.dir, "exec")],
      ...["-H", this.socket, "--pidfile", join(this.dir, "docker.pid")],
      ...["--containerd", join(this.dir, "containerd/containerd.sock")],
      ...["--bridge", this.#bridge, "--default-address-pool", `base=${this.#block.subnet(2)},size=26`],
      ...(network === "own" ? [] : ["--iptables=false", "--ip-forward=false"]),
      ...["--cgroup-parent", `/${this.#name}`, "--exec-opt", "native.cgroupdriver=cgroupfs"],
      ...["--storage-driver", "overlay2", "--shutdown-timeout", "3", "--log-level", "warn"],
      ...(liveRestore === false ? [] : ["--live-restore"]),
      ...(registry ? ["--registry-mirror", registry.url] : []),
      ...(flags ?? []),
    ];
  }

  dockerdPid(): number {
    return Number(readFileSync(join(this.dir, "docker.pid"), "utf8"));
  }

  async kill9(): Promise<void> {
    const child = this.#dockerd;
    this.#dockerd = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    process.kill(this.dockerdPid(), "SIGKILL");
    child.ref();
    await ended;
  }

  freeze(): void {
    freezeProcess(this.dockerdPid());
  }

  thaw(): void {
    process.kill(this.dockerdPid(), "SIGCONT");
  }

  stop(): void {
    this.#sandbox.stop();
  }

  #ip(...args: string[]): void {
    const [file = "ip", ...rest] = [...this.enter, "ip", ...args];
    execFileSync(file, rest);
  }
}

function exists(path: string): boolean {
  return spawnSync("test", ["-S", path]).status === 0;
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ socketPath, path: "/_ping", timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.on("timeout", () => sent.destroy());
    sent.on("error", () => resolve(false));
    sent.end();
  });
}
