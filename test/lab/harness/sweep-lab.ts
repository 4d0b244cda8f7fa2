/** Takes a lab away by its folder alone, so that a reaper can do it after the test was killed, and a later run for an earlier one. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blockOf } from "../../harness/address-block.ts";
import { removeCgroup } from "../../harness/sweep.ts";
import { CGROUP_ROOT, hierarchies, killHost, readIfThere, signal } from "./lab-cgroups.ts";

export const LAB_FOLDER = "styr-lab-";

export interface LabNote {
  /** In the names of everything that the lab makes. */
  readonly id: string;
  /** `10.213.40`, see test/harness/address-block.ts. */
  readonly block: string;
  readonly owner: { readonly pid: number; readonly startedAt: string };
}

export const cgroupPrefix = (id: string) => `styrlab-${id}-`;
export const netnsPrefix = (id: string) => `sl${id}`;

/** Written before anything is made. */
export function noteLab(dir: string, id: string, block: string): void {
  const owner = { pid: process.pid, startedAt: startOf(process.pid) };
  writeFileSync(join(dir, "lab.json"), JSON.stringify({ id, block, owner } satisfies LabNote));
}

function readNote(dir: string): LabNote | undefined {
  const text = readIfThere(join(dir, "lab.json"));
  return text === "" ? undefined : (JSON.parse(text) as LabNote);
}

/** Idempotent. */
export function sweepLab(dir: string): void {
  const note = readNote(dir);
  if (!note) return;
  const hosts = hostCgroups(note.id);
  for (const name of hosts) killHost(name);
  for (const pid of processesNaming(dir)) signal(pid, "SIGKILL");
  // One that is on its way out is in no list of its cgroup any more, and still in the table.
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let round = 0; round < 500 && processesIn(cgroupPrefix(note.id)).length > 0; round++)
    Atomics.wait(cell, 0, 0, 10);
  for (const name of netnsNames(note.id)) run("ip", "netns", "del", name);
  run("ip", "link", "del", netnsPrefix(note.id));
  for (const point of mountsBelow(dir).toReversed()) run("umount", "-l", point);
  for (const name of hosts) removeCgroup(name);
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  rmSync(blockOf(note.block).lock, { recursive: true, force: true });
}

/** Labs of test processes that are no more. Their reapers do it by themselves, unless those were killed too. */
export function sweepStaleLabs(): readonly string[] {
  const folders = readdirSync(tmpdir())
    .filter((name) => name.startsWith(LAB_FOLDER))
    .map((name) => join(tmpdir(), name));
  const stale = folders.filter((dir) => {
    const owner = readNote(dir)?.owner;
    return owner !== undefined && startOf(owner.pid) !== owner.startedAt;
  });
  for (const dir of stale) sweepLab(dir);
  return stale;
}

/** What of a lab is still on this machine, in words; empty after its end. */
export function leftOfLab(dir: string, { id, block }: Pick<LabNote, "id" | "block">): readonly string[] {
  const links = spawnSync("ip", ["-br", "link"], { encoding: "utf8" }).stdout;
  return [
    ...netnsNames(id).map((name) => `network namespace ${name}`),
    ...(links.includes(netnsPrefix(id)) ? [`link ${netnsPrefix(id)}`] : []),
    ...hostCgroups(id).map((name) => `cgroup ${name}`),
    ...processesNaming(dir).map((pid) => `process ${pid}`),
    ...processesIn(cgroupPrefix(id)).map((pid) => `process ${pid} in its cgroups`),
    ...mountsBelow(dir).map((point) => `mount ${point}`),
    ...[dir, blockOf(block).lock].filter((path) => existsSync(path)).map((path) => `folder ${path}`),
  ];
}

function hostCgroups(id: string): readonly string[] {
  const names = hierarchies().flatMap((hierarchy) => readdirSync(join(CGROUP_ROOT, hierarchy)));
  return [...new Set(names)].filter((name) => name.startsWith(cgroupPrefix(id))).sort();
}

function netnsNames(id: string): readonly string[] {
  if (!existsSync("/run/netns")) return [];
  return readdirSync("/run/netns").filter((name) => name.startsWith(netnsPrefix(id)));
}

function pids(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && !/^State:\s+[ZX]/m.test(readIfThere(`/proc/${pid}/status`)));
}

function processesNaming(dir: string): readonly number[] {
  return pids().filter((pid) => {
    const words = readIfThere(`/proc/${pid}/cmdline`).split("\0");
    return !words.some((word) => word.endsWith("reap-lab.ts")) && words.some((word) => word.includes(`${dir}/`));
  });
}

function processesIn(prefix: string): readonly number[] {
  return pids().filter((pid) => readIfThere(`/proc/${pid}/cgroup`).includes(`/${prefix}`));
}

function mountsBelow(dir: string): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((point) => point.startsWith(`${dir}/`));
}

/** proc(5): field 22 of stat, after a name that may hold anything. Empty when there is no such process. */
function startOf(pid: number): string {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function run(file: string, ...args: readonly string[]): void {
  spawnSync(file, args, { stdio: "ignore" });
}
