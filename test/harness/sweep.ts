/**
 * Removes everything that a private daemon left: processes, mounts, bridges, network namespace, cgroups, sockets, files. Works on the
 * folder alone, so that a reaper can do it after the test process was killed. Touches nothing that does not name the folder.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { blockOf } from "./address-block.ts";

export interface Leftovers {
  /** Top-level cgroups of the daemon and its containers. */
  readonly cgroups: readonly string[];
  /** `10.213.40`, see address-block.ts. */
  readonly block?: string;
  readonly netns?: string | readonly string[];
}

const CGROUP_ROOT = "/sys/fs/cgroup";

/** What `sweep` will have to look for beside the folder; written before anything starts. */
export function noteLeftovers(dir: string, leftovers: Leftovers): void {
  writeFileSync(join(dir, "leftovers.json"), JSON.stringify(leftovers));
}

export function sweep(dir: string): void {
  if (!existsSync(join(dir, "leftovers.json"))) return;
  const left = JSON.parse(readFileSync(join(dir, "leftovers.json"), "utf8")) as Leftovers;
  killAll(dir, left);
  const shimSockets = findShimSockets(dir);
  unmountBelow(dir);
  for (const netns of [left.netns ?? []].flat()) run("ip", ["netns", "del", netns]);
  if (left.block) removeBridges(left.block);
  for (const name of left.cgroups) removeCgroup(name);
  for (const path of shimSockets) rmSync(path, { force: true });
  rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  if (left.block) rmSync(blockOf(left.block).lock, { recursive: true, force: true });
}

/** Kills in rounds: a killed shim's child is found by its root file system, which lies in the folder. */
function killAll(dir: string, { cgroups }: Leftovers): void {
  for (let round = 0; round < 100; round++) {
    const pids = processesOf(dir, cgroups);
    if (pids.length === 0) return;
    for (const pid of pids) signal(pid);
    pause(20);
  }
  throw new Error(`processes of ${dir} survive SIGKILL: ${processesOf(dir, cgroups).join(" ")}`);
}

function processesOf(dir: string, cgroups: readonly string[]): number[] {
  const ourMounts = readlinkSync("/proc/self/ns/mnt");
  const inCgroups = new RegExp(`:/(?:${cgroups.join("|") || "\\0"})(?:/|$)`, "m");
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter(
      (pid) =>
        isAlive(pid) &&
        (names(pid, dir) ||
          isIn(pid, dir) ||
          hasRootIn(pid, dir, ourMounts) ||
          inCgroups.test(procFile(pid, "cgroup"))),
    );
}

/** Everything that a sandbox starts begins in its folder. */
function isIn(pid: number, dir: string): boolean {
  try {
    const cwd = readlinkSync(`/proc/${pid}/cwd`);
    return cwd === dir || cwd.startsWith(`${dir}/`);
  } catch (error) {
    // One that is going has none.
    if (isGone(error)) return false;
    throw error;
  }
}

function names(pid: number, dir: string): boolean {
  const words = procFile(pid, "cmdline").split("\0");
  return !words.some((word) => word.endsWith("reaper.ts")) && words.some((word) => word.includes(`${dir}/`));
}

function hasRootIn(pid: number, dir: string, ourMounts: string): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/ns/mnt`) === ourMounts) return false;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
  return procFile(pid, "mountinfo")
    .split("\n")
    .some((line) => line.split(" ")[4] === "/" && line.includes(`${dir}/`));
}

function isAlive(pid: number): boolean {
  return !/^State:\s+[ZX]/m.test(procFile(pid, "status"));
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch (error) {
    if (isGone(error)) return "";
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return ["ENOENT", "ESRCH", "EINVAL", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function findShimSockets(dir: string): string[] {
  const tasks = join(dir, "containerd/state/io.containerd.runtime.v2.task/moby");
  if (!existsSync(tasks)) return [];
  return readdirSync(tasks)
    .map((id) => join(tasks, id, "address"))
    .filter((path) => existsSync(path))
    .map((path) =>
      readFileSync(path, "utf8")
        .trim()
        .replace(/^unix:\/\//, ""),
    )
    .filter((path) => path.startsWith("/run/containerd/s/"));
}

function unmountBelow(dir: string): void {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((point) => point.startsWith(`${dir}/`));
  for (const point of points.toReversed()) run("umount", ["-l", point]);
}

function removeBridges(prefix: string): void {
  const block = blockOf(prefix);
  const ours = [0, 1, 2, 3].map((n) => block.address(n, 0).replace(/0$/, ""));
  const { stdout } = spawnSync("ip", ["-4", "-o", "addr"], { encoding: "utf8" });
  for (const line of stdout.split("\n")) {
    const [, , device, address] = /^(\d+): (\S+)\s+inet (\S+)/.exec(line) ?? [];
    if (device && address && ours.some((start) => address.startsWith(start))) run("ip", ["link", "del", device]);
  }
}

/** Every hierarchy of cgroup v1 and v2, leaves first; processes just killed may hold one for a moment. */
export function removeCgroup(name: string): void {
  const roots = existsSync(`${CGROUP_ROOT}/cgroup.procs`)
    ? [CGROUP_ROOT]
    : readdirSync(CGROUP_ROOT).map((hierarchy) => join(CGROUP_ROOT, hierarchy));
  for (const root of roots) {
    const path = join(root, name);
    for (let tries = 0; tries < 50 && existsSync(path); tries++) if (!removeTree(path)) pause(20);
  }
}

function removeTree(path: string): boolean {
  for (const name of readdirSync(path)) {
    const child = join(path, name);
    if (statSync(child, { throwIfNoEntry: false })?.isDirectory()) removeTree(child);
  }
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if (["EBUSY", "ENOTEMPTY"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    if (isGone(error)) return true;
    throw error;
  }
}

function run(file: string, args: readonly string[]): void {
  spawnSync(file, args, { stdio: "ignore" });
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
