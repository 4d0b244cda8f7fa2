import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DriverError } from "../driver.ts";
import {
  childNames,
  errorCode,
  processesIn,
  readCgroupFile,
  removeDirectories,
  statField,
  writeCgroupFile,
} from "./cgroup-files.ts";
import { type CgroupLayout, detectLayout, type Hierarchy } from "./layout.ts";
import { type CgroupLimits, type LimitFile, limitFilesV1, limitFilesV2 } from "./limit-files.ts";

export interface CgroupUsage {
  readonly cpuNanos: number;
  /** Without file pages the kernel would give up first (Kubernetes' working set). */
  readonly memoryBytes: number;
}

export interface CgroupTreeOptions {
  /** The directory in each hierarchy that holds all of ours. Default `styrmann`. */
  readonly root?: string;
  /** Default: what this machine has. */
  readonly layout?: CgroupLayout;
}

/** A fork bomb stops here; a JVM with thousands of threads does not. */
const DEFAULT_PIDS = 8192;
const KILL_DEADLINE_MS = 10_000;

/**
 * The node's cgroups below one root, for v1, v2 and hybrid hosts. Names are relative: `<podUid>/<container>`; "" is the
 * root itself. A cgroup holds processes or other cgroups, not both (v2's law). Everything is idempotent.
 */
export class CgroupTree {
  readonly root: string;
  #known: CgroupLayout | undefined;

  constructor({ root = "styrmann", layout }: CgroupTreeOptions = {}) {
    assertName(root);
    this.root = root;
    this.#known = layout;
  }

  /** Why processes cannot be given cgroups here, in words; undefined when they can. Everything else throws then. */
  problem(): string | undefined {
    try {
      return this.#layout.hierarchies.length > 0 ? undefined : "no cgroup hierarchy is mounted";
    } catch (error) {
      if (error instanceof DriverError) return error.message;
      throw error;
    }
  }

  /** What is below the root may use this much together; the rest is kept for the host. */
  reserve(allocatable: { readonly cpuMillis: number; readonly memoryBytes: number }): void {
    this.#make("");
    const limits: CgroupLimits = {
      cpuRequestMillis: allocatable.cpuMillis,
      cpuLimitMillis: allocatable.cpuMillis,
      memoryLimitBytes: allocatable.memoryBytes,
    };
    for (const hierarchy of this.#layout.hierarchies) applyLimits(hierarchy, this.#path(hierarchy, ""), limits);
  }

  /** Makes it, and sets its limits when given; without `limits` an existing one keeps what it has. */
  ensure(name: string, limits?: CgroupLimits): void {
    assertName(name);
    this.#make(name);
    if (!limits) return;
    const withDefaults = { pidsLimit: DEFAULT_PIDS, ...this.#withinRoot(limits) };
    for (const hierarchy of this.#layout.hierarchies) applyLimits(hierarchy, this.#path(hierarchy, name), withDefaults);
  }

  /** Moves a process there. False when it has ended. */
  place(name: string, pid: number): boolean {
    const { hierarchies, tracking } = this.#layout;
    // The one that tells where it belongs comes last: a move that broke off is seen, and made again.
    const inOrder = [...hierarchies.filter((each) => each !== tracking), tracking];
    return inOrder.every((hierarchy) => moveProcess(this.#path(hierarchy, name), pid));
  }

  /** Moves a process between the cgroups that tell where processes belong, leaving its limits alone. "" = the top. */
  track(path: string, pid: number): boolean {
    return moveProcess(join(this.#layout.tracking.path, path), pid);
  }

  /** Makes a cgroup beside the root, in the tracking hierarchy alone. Gives its path for `track`. */
  ensureBeside(suffix: string): string {
    const name = `${this.root}-${suffix}`;
    mkdirSync(join(this.#layout.tracking.path, name), { recursive: true });
    return name;
  }

  /** Moves a process to a cgroup of its own beside the root: out of whatever service started it, outside our limits. */
  placeBeside(suffix: string, pid: number): void {
    for (const { path } of this.#layout.hierarchies) {
      const directory = join(path, `${this.root}-${suffix}`);
      mkdirSync(directory, { recursive: true });
      moveProcess(directory, pid);
    }
  }

  /** Processes in a cgroup beside the root. */
  pidsBeside(suffix: string): readonly number[] {
    return processesIn(join(this.#layout.tracking.path, `${this.root}-${suffix}`));
  }

  /** Processes in it and below, ascending. */
  pids(name: string): readonly number[] {
    return processesIn(this.#path(this.#layout.tracking, name));
  }

  exists(name: string): boolean {
    return this.#layout.hierarchies.some((hierarchy) => existsSync(this.#path(hierarchy, name)));
  }

  /** Names directly below it, sorted. */
  children(name = ""): readonly string[] {
    const names = this.#layout.hierarchies.flatMap((hierarchy) => childNames(this.#path(hierarchy, name)));
    return [...new Set(names)].sort();
  }

  /** Undefined when there is no such cgroup, or nothing here counts. */
  usage(name: string): CgroupUsage | undefined {
    const cpuNanos = this.#cpuNanos(name);
    const memoryBytes = this.#memoryBytes(name);
    return cpuNanos === undefined && memoryBytes === undefined
      ? undefined
      : { cpuNanos: cpuNanos ?? 0, memoryBytes: memoryBytes ?? 0 };
  }

  /** How often the kernel has killed something in it for memory. */
  oomKills(name: string): number {
    const memory = this.#holding("memory");
    if (!memory) return 0;
    const file = memory.version === 2 ? "memory.events" : "memory.oom_control";
    return statField(readCgroupFile(join(this.#path(memory, name), file)), "oom_kill") ?? 0;
  }

  /**
   * One round of killing all that is at `path` in any hierarchy: an engine may put processes into others than we do.
   * Says whether there was anything. `path` is below a mount and must be within our root, or within its systemd slice.
   */
  killAt(path: string): boolean {
    const isOurs = [`${this.root}/`, `${this.root}.slice/`].some((start) => path.startsWith(start));
    if (!isOurs) throw failure(`cgroup ${path} is none of ours`);
    assertName(path);
    const pids = new Set(this.#layout.hierarchies.flatMap((hierarchy) => processesIn(join(hierarchy.path, path))));
    for (const pid of pids) signalProcess(pid, 9);
    return pids.size > 0;
  }

  /** Signals each process once, and those that came meanwhile. For SIGKILL use `kill`, which nothing escapes. */
  signal(name: string, signal: number): void {
    const seen = new Set<number>();
    for (let pass = 0; pass < 10; pass++) {
      const fresh = this.pids(name).filter((pid) => !seen.has(pid));
      if (fresh.length === 0) return;
      for (const pid of fresh) {
        seen.add(pid);
        signalProcess(pid, signal);
      }
    }
  }

  /** Kills every process in it and below; resolves when none is left. Temporary DriverError when one does not die within 10 s. */
  async kill(name: string): Promise<void> {
    const deadline = performance.now() + KILL_DEADLINE_MS;
    for (let waitMs = 1; ; waitMs = Math.min(50, waitMs * 2)) {
      const left = this.pids(name);
      if (left.length === 0) return;
      if (performance.now() > deadline) {
        throw failure(`processes ${left.slice(0, 5).join(", ")} in cgroup ${name} do not end after SIGKILL`);
      }
      this.killOnce(name);
      await delay(waitMs);
    }
  }

  /** One round of `kill`, without waiting for the end. Synchronous: a freeze must never outlive the call that made it. */
  killOnce(name: string): void {
    const { tracking } = this.#layout;
    if (tracking.version === 2 && writeCgroupFile(join(this.#path(tracking, name), "cgroup.kill"), "1")) return;
    const freezer = this.#freezer(name);
    if (freezer) writeCgroupFile(freezer.path, freezer.frozen);
    try {
      for (const pid of this.pids(name)) signalProcess(pid, 9);
    } finally {
      if (freezer) writeCgroupFile(freezer.path, freezer.thawed);
    }
  }

  /** Kills what is in it, then takes it and all below away. Temporary DriverError when the kernel holds it for 10 s. */
  async remove(name: string): Promise<void> {
    await this.kill(name);
    await this.#removePaths(this.#layout.hierarchies.map((hierarchy) => this.#path(hierarchy, name)));
  }

  /** Takes the whole tree away, and what is beside it. */
  async removeAll(suffixes: readonly string[]): Promise<void> {
    await this.remove("");
    const names = suffixes.map((suffix) => `${this.root}-${suffix}`);
    const { hierarchies, others = [] } = this.#layout;
    await this.#removePaths(hierarchies.flatMap(({ path }) => names.map((name) => join(path, name))));
    // Nothing of ours is in them, and no process once it is gone from ours: what an engine made for its containers is left.
    await this.#removePaths(others.map((path) => join(path, this.root)));
  }

  async #removePaths(paths: readonly string[]): Promise<void> {
    const deadline = performance.now() + KILL_DEADLINE_MS;
    let left = paths;
    for (let waitMs = 1; ; waitMs = Math.min(50, waitMs * 2)) {
      left = left.filter((path) => !removeDirectories(path));
      if (left.length === 0) return;
      if (performance.now() > deadline) throw failure(`the kernel does not give up cgroup ${left[0]} (EBUSY)`);
      await delay(waitMs);
    }
  }

  get #layout(): CgroupLayout {
    this.#known ??= detectLayout();
    return this.#known;
  }

  #path(hierarchy: Hierarchy, name: string): string {
    return join(hierarchy.path, this.root, name);
  }

  #holding(controller: string): Hierarchy | undefined {
    return this.#layout.hierarchies.find(({ controllers }) => controllers.includes(controller));
  }

  #freezer(name: string): { readonly path: string; readonly frozen: string; readonly thawed: string } | undefined {
    const { tracking } = this.#layout;
    const v1 = this.#layout.hierarchies.find(
      ({ version, controllers }) => version === 1 && controllers.includes("freezer"),
    );
    if (v1) return { path: join(this.#path(v1, name), "freezer.state"), frozen: "FROZEN", thawed: "THAWED" };
    const path = join(this.#path(tracking, name), "cgroup.freeze");
    return tracking.version === 2 ? { path, frozen: "1", thawed: "0" } : undefined;
  }

  #make(name: string): void {
    const levels = name === "" ? [] : name.split("/");
    for (const hierarchy of this.#layout.hierarchies) {
      let parent = hierarchy.path;
      for (const level of [this.root, ...levels]) {
        if (hierarchy.version === 2) delegate(hierarchy, parent, this.root);
        parent = join(parent, level);
        mkdirSync(parent, { recursive: true });
      }
    }
  }

  /** v1 refuses (EINVAL) a quota above its parent's. */
  #withinRoot(limits: CgroupLimits): CgroupLimits {
    const cpu = this.#holding("cpu");
    if (cpu?.version !== 1 || limits.cpuLimitMillis === undefined) return limits;
    const quota = Number(readCgroupFile(join(this.#path(cpu, ""), "cpu.cfs_quota_us")) ?? -1);
    return quota <= 0 ? limits : { ...limits, cpuLimitMillis: Math.min(limits.cpuLimitMillis, quota / 100) };
  }

  #cpuNanos(name: string): number | undefined {
    const v1 = this.#layout.hierarchies.find(
      ({ version, controllers }) => version === 1 && controllers.includes("cpuacct"),
    );
    if (v1) {
      const text = readCgroupFile(join(this.#path(v1, name), "cpuacct.usage"));
      return text === undefined ? undefined : Number(text);
    }
    const v2 = this.#layout.hierarchies.find(({ version }) => version === 2);
    if (!v2) return undefined;
    const micros = statField(readCgroupFile(join(this.#path(v2, name), "cpu.stat")), "usage_usec");
    return micros === undefined ? undefined : micros * 1000;
  }

  #memoryBytes(name: string): number | undefined {
    const memory = this.#holding("memory");
    if (!memory) return undefined;
    const path = this.#path(memory, name);
    const [file, idle] =
      memory.version === 2 ? ["memory.current", "inactive_file"] : ["memory.usage_in_bytes", "total_inactive_file"];
    const used = readCgroupFile(join(path, file));
    if (used === undefined) return undefined;
    return Math.max(0, Number(used) - (statField(readCgroupFile(join(path, "memory.stat")), idle) ?? 0));
  }
}

/** A cgroup's name: levels of ordinary file names. */
function assertName(name: string): void {
  const bad = name === "" || name.split("/").some((level) => !/^[^/\0\n]{1,200}$/.test(level) || /^\.\.?$/.test(level));
  if (bad) {
    throw new DriverError(`"${name}" cannot name a cgroup`, { temporary: false, reason: "CreateContainerError" });
  }
}

/** One that is gone has been signalled. */
export function signalProcess(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

function moveProcess(directory: string, pid: number): boolean {
  try {
    return writeCgroupFile(join(directory, "cgroup.procs"), String(pid));
  } catch (error) {
    if (errorCode(error) === "ESRCH") return false;
    throw error;
  }
}

function applyLimits(hierarchy: Hierarchy, directory: string, limits: CgroupLimits): void {
  const files = hierarchy.version === 2 ? limitFilesV2(limits) : limitFilesV1(limits);
  for (const each of files) if (hierarchy.controllers.includes(each.controller)) applyLimit(directory, each);
}

function applyLimit(directory: string, { file, value, optional }: LimitFile): void {
  try {
    if (writeCgroupFile(join(directory, file), value) || optional) return;
  } catch (error) {
    throw failure(`cannot set ${file} to ${value} in ${directory}: ${(error as Error).message}`, error);
  }
  throw failure(`cannot set ${file} in ${directory}: this kernel does not have it`);
}

/** v2: a cgroup's children have the controllers that it hands down. */
function delegate({ controllers, path: mount }: Hierarchy, directory: string, root: string): void {
  if (controllers.length === 0) return;
  const file = join(directory, "cgroup.subtree_control");
  const handed = (readCgroupFile(file) ?? "").split(" ");
  const missing = controllers.filter((name) => !handed.includes(name));
  if (missing.length === 0) return;
  const value = missing.map((name) => `+${name}`).join(" ");
  try {
    writeCgroupFile(file, value);
  } catch (error) {
    if (errorCode(error) !== "EBUSY" || directory !== mount) throw error;
    // The top of a container's own cgroup namespace holds its processes, and such a cgroup may not hand down controllers.
    evacuate(mount, `${root}-host`);
    writeCgroupFile(file, value);
  }
}

function evacuate(directory: string, leaf: string): void {
  mkdirSync(join(directory, leaf), { recursive: true });
  const text = readCgroupFile(join(directory, "cgroup.procs")) ?? "";
  for (const pid of text.split("\n").map(Number)) if (pid > 0) moveProcess(join(directory, leaf), pid);
}

function failure(message: string, cause?: unknown): DriverError {
  return new DriverError(message, { temporary: true, reason: "CreateContainerError", cause });
}
