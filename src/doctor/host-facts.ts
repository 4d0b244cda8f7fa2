/** Reads what the checks judge. A file that this system does not have is a fact, not a failure. */
import { constants } from "node:fs";
import { access, readFile, statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { HostFacts } from "./check.ts";

export interface HostQuestion {
  /** Where state lies or will lie. */
  readonly stateDir: string;
  /** The value of PATH. */
  readonly path: string;
}

export async function readHostFacts({ stateDir, path }: HostQuestion): Promise<HostFacts> {
  const controllersV2 = await textOf("/sys/fs/cgroup/cgroup.controllers");
  const controllersV1 = parseControllers(await textOf("/proc/cgroups"), await textOf("/proc/self/mounts"));
  return {
    platform: process.platform,
    architecture: process.arch,
    nodeMajor: Number(process.versions.node.split(".")[0]),
    isRoot: process.geteuid?.() === 0,
    hasSystemd: await hasSystemd(),
    distributions: parseDistributions(await textOf("/etc/os-release")),
    cgroupVersion: controllersV2 !== "" ? 2 : controllersV1.length > 0 ? 1 : undefined,
    cgroupControllers: controllersV2 !== "" ? controllersV2.trim().split(" ") : controllersV1,
    filesystems: (await textOf("/proc/filesystems")).split("\n").map((line) => line.split("\t")[1] ?? ""),
    hasIptables: await isExecutable("iptables", path),
    freeStateBytes: await freeBytes(stateDir),
    memoryBytes: totalmem(),
  };
}

/** systemd's own test (sd_booted): this folder is there exactly when it is PID 1. */
export async function hasSystemd(): Promise<boolean> {
  return await exists("/run/systemd/system");
}

/** The id of the system and of those it is like, from the text of /etc/os-release. */
export function parseDistributions(text: string): readonly string[] {
  const value = (key: string) => new RegExp(`^${key}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return `${value("ID")} ${value("ID_LIKE")}`.split(/\s+/).filter((word) => word !== "");
}

/** Controllers of cgroup v1 that the kernel has enabled and that are mounted. */
export function parseControllers(cgroups: string, mounts: string): readonly string[] {
  const options = mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup")
    .flatMap(([, , , words = ""]) => words.split(","));
  return cgroups
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split("\t"))
    .filter(([name = "", , , enabled]) => enabled === "1" && options.includes(name))
    .map(([name = ""]) => name);
}

export async function isExecutable(file: string, path: string): Promise<boolean> {
  const folders = [...path.split(delimiter), "/usr/sbin", "/sbin"];
  for (const folder of folders) if (await exists(join(folder, file), constants.X_OK)) return true;
  return false;
}

async function exists(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return await access(path, mode).then(
    () => true,
    () => false,
  );
}

async function textOf(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (["ENOENT", "EACCES", "ENOTDIR"].includes(error.code ?? "")) return "";
    throw error;
  });
}

/** Of the nearest folder that exists: the state folder may not be made yet. */
async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    return await freeBytes(dirname(path));
  }
}
