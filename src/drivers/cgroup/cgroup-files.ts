import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Error codes that say "the cgroup is not there (any more)"; reading a file of a cgroup being removed gives ENODEV. */
const GONE = new Set(["ENOENT", "ENODEV", "ESRCH"]);

export function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "";
}

/** A cgroup file's text without its newline; undefined when the cgroup, or the file in it, is not there. */
export function readCgroupFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (GONE.has(errorCode(error))) return undefined;
    throw error;
  }
}

/** False when there is no such file. */
export function writeCgroupFile(path: string, value: string): boolean {
  try {
    // Never create: on a fake tree as on cgroupfs the kernel makes the files.
    writeFileSync(path, value, { flag: "r+" });
    return true;
  } catch (error) {
    if (GONE.has(errorCode(error))) return false;
    throw error;
  }
}

/** This cgroup and all below, parents first. Empty when it is not there. */
function cgroupDirectories(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  const found = [path];
  for (let at = 0; at < found.length; at++) {
    for (const name of childNames(found[at] ?? path)) found.push(join(found[at] ?? path, name));
  }
  return found;
}

/** Names of the cgroups directly below, sorted. */
export function childNames(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (GONE.has(errorCode(error))) return [];
    throw error;
  }
}

/** Processes in this cgroup and below, ascending. */
export function processesIn(path: string): readonly number[] {
  const found = cgroupDirectories(path).flatMap((directory) => {
    const text = readCgroupFile(join(directory, "cgroup.procs"));
    return text ? text.split("\n").map(Number) : [];
  });
  // v1 may list one twice while it is being moved; 0 is a process of another pid namespace.
  return [...new Set(found)].filter((pid) => pid > 0).sort((a, b) => a - b);
}

/** Removes a cgroup and all below. False when the kernel still holds one of them (a dying process): try again. */
export function removeDirectories(path: string): boolean {
  for (const directory of cgroupDirectories(path).toReversed()) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if (errorCode(error) === "EBUSY") return false;
      if (!GONE.has(errorCode(error))) throw error;
    }
  }
  return true;
}

/** The number after `key` in a file of `key value` lines. */
export function statField(text: string | undefined, key: string): number | undefined {
  const line = text?.split("\n").find((each) => each.startsWith(`${key} `));
  return line === undefined ? undefined : Number(line.slice(key.length + 1));
}
