import { readFileSync } from "node:fs";

/** What a process has cost and takes, as the kernel counts it: all of its threads. */
export interface Cost {
  readonly atMs: number;
  readonly cpuMs: number;
  readonly residentMiB: number;
  /** Without the pages of files, which all processes of the program share. */
  readonly ownMiB: number;
}

/** Source: proc(5); a tick is 10 ms on every Linux that Node runs on. */
const TICK_MS = 10;

export function costOf(pid: number): Cost {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in brackets, may have blanks in it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0) / 1024);
  const cpuMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  return { atMs: performance.now(), cpuMs, residentMiB: mib("VmRSS"), ownMiB: mib("RssAnon") };
}

/** Percent of one core between two readings. */
export function corePercent(before: Cost, after: Cost): number {
  return Math.round(((after.cpuMs - before.cpuMs) / (after.atMs - before.atMs)) * 1000) / 10;
}

export interface Memory {
  readonly residentMiB: number;
  /** What processes share counts to each of them in part. */
  readonly proportionalMiB: number;
  /** What would be free if the process ended. */
  readonly privateMiB: number;
}

/** From smaps_rollup (proc(5)). */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  const mib = (...names: readonly string[]) => Math.round(names.reduce((sum, name) => sum + kib(name), 0) / 1024);
  return {
    residentMiB: mib("Rss"),
    proportionalMiB: mib("Pss"),
    privateMiB: mib("Private_Clean", "Private_Dirty"),
  };
}
