/** The cgroups of one lab host: one in every hierarchy, which hold all that runs on it and stop, slow down or end it as a whole. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const CGROUP_ROOT = "/sys/fs/cgroup";

/** Names of the mounted hierarchies: cpu, freezer, systemd, unified, … */
export function hierarchies(): readonly string[] {
  return readdirSync(CGROUP_ROOT)
    .filter((name) => existsSync(join(CGROUP_ROOT, name, "cgroup.procs")))
    .sort();
}

export function makeHostCgroups(name: string): void {
  for (const hierarchy of hierarchies()) mkdirSync(join(CGROUP_ROOT, hierarchy, name), { recursive: true });
  // A cpuset starts empty, and nothing can be put into an empty one.
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const above = join(CGROUP_ROOT, "cpuset", file);
    if (existsSync(above)) writeFileSync(join(CGROUP_ROOT, "cpuset", name, file), readFileSync(above));
  }
}

/** Everything of the host stands still, its containers too. */
export function freezeHost(name: string, frozen: boolean): void {
  const file = join(CGROUP_ROOT, "freezer", name, "freezer.state");
  if (existsSync(file)) writeFileSync(file, frozen ? "FROZEN" : "THAWED");
}

export function isFrozen(name: string): boolean {
  return readFileSync(join(CGROUP_ROOT, "freezer", name, "freezer.state"), "utf8").trim() === "FROZEN";
}

/** Writes of the host to this block device, in bytes per second; 0 lifts the limit. It holds for each container as for the host (v1 is hierarchical). */
export function throttleHost(name: string, device: string, bytesPerSecond: number): void {
  for (const file of ["blkio.throttle.write_bps_device", "blkio.throttle.read_bps_device"])
    writeFileSync(join(CGROUP_ROOT, "blkio", name, file), `${device} ${bytesPerSecond}`);
}

/** `8:0`, the whole device below a folder: throttles know no partitions. */
export function deviceOf(path: string): string {
  const { dev } = statSync(path);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const parent = `/sys/dev/block/${major}:${minor}/../dev`;
  return existsSync(parent) ? readFileSync(parent, "utf8").trim() : `${major}:${minor}`;
}

/** Processes in all cgroups below the host's, ascending. */
export function processesOfHost(name: string): readonly number[] {
  return [...new Set(procsBelow(join(CGROUP_ROOT, "pids", name)))].filter((pid) => pid > 0).sort((a, b) => a - b);
}

function procsBelow(path: string): number[] {
  if (!existsSync(path)) return [];
  const own = readIfThere(join(path, "cgroup.procs")).split("\n").filter(Boolean).map(Number);
  const below = namesIn(path).flatMap((name) => procsBelow(join(path, name)));
  return [...own, ...below];
}

function namesIn(path: string): readonly string[] {
  return existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
    : [];
}

/** Ends everything of the host at once, as a power cut does. */
export function killHost(name: string): void {
  freezeHost(name, false);
  const kill = join(CGROUP_ROOT, "unified", name, "cgroup.kill");
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let round = 0; round < 500; round++) {
    if (existsSync(kill)) writeFileSync(kill, "1");
    const pids = processesOfHost(name);
    if (pids.length === 0) return;
    for (const pid of pids) signal(pid, "SIGKILL");
    Atomics.wait(cell, 0, 0, 10);
  }
  throw new Error(`processes of ${name} survive SIGKILL: ${processesOfHost(name).join(" ")}`);
}

/** False when the process is gone already. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Empty when the file, or the process whose file it is, is gone. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH", "ENODEV", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}
