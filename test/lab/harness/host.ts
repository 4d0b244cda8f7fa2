/**
 * One host of a lab: namespaces and cgroups of its own, an address, disks that outlive its power, and services that are started again
 * with it. `enter` are the words to put before a command that is to run on it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, LAB_ENV, must, type RunOptions, run } from "./command.ts";
import type { Fabric, LinkNumber } from "./fabric.ts";
import {
  freezeHost,
  hierarchies,
  isFrozen,
  killHost,
  makeHostCgroups,
  processesOfHost,
  readIfThere,
  signal,
} from "./lab-cgroups.ts";
import { until } from "./wait.ts";

const HERE = import.meta.dirname;

export interface HostOptions {
  /** Bytes of a disk of its own for /var/lib/styrmann and /var/lib/etcd, which can run full; without it they lie on the machine's. */
  readonly diskBytes?: number;
  /** 1: its cable is in the second link, with a router between it and the first. Default 0. */
  readonly link?: LinkNumber;
}

interface Service {
  readonly argv: readonly string[];
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
}

export class Host {
  readonly n: number;
  readonly name: string;
  readonly address: string;
  readonly dir: string;
  /** Its cgroup in every hierarchy. */
  readonly cgroup: string;
  readonly #fabric: Fabric;
  readonly #services = new Map<string, Service>();
  #init: number | undefined;

  constructor(place: { n: number; dir: string; cgroup: string; fabric: Fabric }) {
    this.n = place.n;
    this.name = `h${place.n}`;
    this.dir = place.dir;
    this.cgroup = place.cgroup;
    this.#fabric = place.fabric;
    this.address = place.fabric.addressOf(place.n);
  }

  /** A folder of the host's disk, seen from the test: `disk("styrmann")` is its /var/lib/styrmann. */
  disk(name: "docker" | "containerd" | "styrmann" | "etcd"): string {
    return join(this.dir, "disk", name);
  }

  build({ diskBytes }: HostOptions, hosts: string): void {
    mkdirSync(join(this.dir, "disk"), { recursive: true });
    mkdirSync(join(this.dir, "log"));
    for (const name of ["docker", "containerd"] as const) mkdirSync(this.disk(name));
    for (const name of ["styrmann", "etcd"] as const) mkdirSync(this.#onOwnDisk(name, diskBytes));
    writeFileSync(join(this.dir, "machine-id"), `${randomBytes(16).toString("hex")}\n`);
    writeFileSync(join(this.dir, "hosts"), hosts);
  }

  #onOwnDisk(name: "styrmann" | "etcd", diskBytes: number | undefined): string {
    if (diskBytes === undefined) return this.disk(name);
    const own = join(this.dir, "own-disk");
    if (!existsSync(own)) {
      mkdirSync(own);
      must("mount", "-t", "tmpfs", "-o", `size=${diskBytes},mode=755`, "lab-disk", own);
    }
    must("ln", "-s", join(own, name), this.disk(name));
    return join(own, name);
  }

  get isOn(): boolean {
    return this.#init !== undefined;
  }

  /** With the same disks, machine id and name, and another boot id; services that ran when the power went are not started by this. */
  async powerOn(): Promise<void> {
    this.#fabric.plugIn(this.n);
    makeHostCgroups(this.cgroup);
    for (const name of ["ready", "cgroup", "work"]) rmSync(join(this.dir, name), { recursive: true, force: true });
    mkdirSync(join(this.dir, "cgroup"));
    const log = openSync(join(this.dir, "log/init.log"), "a");
    const init = ["unshare", "--cgroup", "--mount", "--uts", "--pid", "--fork", "--propagation", "private"];
    const steps = ["sh", join(HERE, "init.sh"), this.dir, this.name, ...hierarchies()];
    // In the network namespace only; unshare makes the others.
    const child = spawn("sh", [join(HERE, "boot.sh"), this.cgroup, this.#fabric.netnsOf(this.n), ...init, ...steps], {
      ...{ detached: true, env: LAB_ENV, stdio: ["ignore", log, log] },
    });
    closeSync(log);
    child.unref();
    const lastWords = () => readFileSync(join(this.dir, "log/init.log"), "utf8").slice(-1000);
    await until(`${this.name} has started`, () => existsSync(join(this.dir, "ready")), {
      everyMs: 10,
      seen: lastWords,
      withinMs: 20_000,
    });
    this.#init = childOf(child.pid ?? 0);
  }

  /** Everything on it ends at once, and what the disks have stays. */
  powerOff(): void {
    // At once for all others: its processes end one after the other, and what their kernel says of that is not heard of a host without power.
    if (this.#init !== undefined) this.#fabric.cable(this.n, false);
    killHost(this.cgroup);
    this.#init = undefined;
    this.#services.clear();
    this.#fabric.unplug(this.n);
  }

  get enter(): readonly string[] {
    if (this.#init === undefined) throw new Error(`${this.name} is off`);
    return ["sh", join(HERE, "enter.sh"), this.cgroup, String(this.#init)];
  }

  /** A file of the host, seen from the test: its sockets can be connected to there. */
  path(path: string): string {
    return `/proc/${this.#init}/root${path}`;
  }

  run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return run([...this.enter, ...argv], options);
  }

  /** Gives what it printed; anything but 0 throws with it. */
  async must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, options);
    if (code !== 0) throw new Error(`${this.name}: ${argv.join(" ")} ended with ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** A program that goes on; its output goes to `log/NAME.log` of the host's folder. */
  start(name: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}): void {
    const log = openSync(this.logFile(name), "a");
    const [file = "", ...args] = [...this.enter, ...argv];
    const child = spawn(file, args, { detached: true, env: { ...LAB_ENV, ...env }, stdio: ["ignore", log, log] });
    closeSync(log);
    child.unref();
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    this.#services.set(name, { argv, child, ended });
  }

  logFile(name: string): string {
    return join(this.dir, "log", `${name}.log`);
  }

  log(name: string): string {
    return readIfThere(this.logFile(name));
  }

  /** Since its power is on. */
  wasStarted(name: string): boolean {
    return this.#services.has(name);
  }

  runs(name: string): boolean {
    const child = this.#services.get(name)?.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** The program's own process, not the one that brought it into the host. */
  pidOf(name: string): number {
    const { child } = this.#services.get(name) ?? {};
    if (!child?.pid || !this.runs(name))
      throw new Error(`${this.name} does not run ${name}: ${this.log(name).slice(-2000)}`);
    return childOf(child.pid);
  }

  /** Sends it and waits for the end, unless the signal is none that ends. */
  async signal(name: string, signalName: NodeJS.Signals): Promise<void> {
    const service = this.#services.get(name);
    signal(this.pidOf(name), signalName);
    // nsenter stands still with the program that it has started, and does not go on with it.
    if (signalName === "SIGCONT") service?.child.kill(signalName);
    if (!["SIGKILL", "SIGTERM", "SIGINT"].includes(signalName)) return;
    service?.child.ref();
    await service?.ended;
  }

  /** Processes on it whose command line holds `text`. */
  find(text: string): readonly number[] {
    return processesOfHost(this.cgroup).filter((pid) =>
      readIfThere(`/proc/${pid}/cmdline`).replaceAll("\0", " ").includes(text),
    );
  }

  async freeze(): Promise<void> {
    freezeHost(this.cgroup, true);
    await until(`${this.name} stands still`, () => isFrozen(this.cgroup), { everyMs: 10, withinMs: 10_000 });
  }

  thaw(): void {
    freezeHost(this.cgroup, false);
  }
}

/** nsenter and unshare stay behind as the parent of what they start in another pid namespace. */
function childOf(pid: number): number {
  const [child] = readIfThere(`/proc/${pid}/task/${pid}/children`).trim().split(" ");
  if (!child) throw new Error(`process ${pid} has started nothing`);
  return Number(child);
}
