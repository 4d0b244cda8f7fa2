import { readFileSync } from "node:fs";

/** prlimit's names and those of /proc/<pid>/limits (proc(5)). */
const TITLES: Readonly<Record<string, string>> = {
  as: "Max address space",
  core: "Max core file size",
  cpu: "Max cpu time",
  data: "Max data size",
  fsize: "Max file size",
  locks: "Max file locks",
  memlock: "Max locked memory",
  msgqueue: "Max msgqueue size",
  nice: "Max nice priority",
  nofile: "Max open files",
  nproc: "Max processes",
  rss: "Max resident set",
  rtprio: "Max realtime priority",
  rttime: "Max realtime timeout",
  sigpending: "Max pending signals",
  stack: "Max stack size",
};

const CAP_SYS_RESOURCE = 24n;

/**
 * How high this process may set each limit: anything with CAP_SYS_RESOURCE, else its own hard limit. As systemd, which
 * sets the closest it may instead of failing (setrlimit_closest).
 */
export function mostAllowed(): (name: string) => number {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  if ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) return () => Number.POSITIVE_INFINITY;
  const text = readFileSync("/proc/self/limits", "utf8");
  return (name) => hardLimit(text, name);
}

/** From the text of /proc/<pid>/limits; a limit it does not know bounds nothing. */
export function hardLimit(text: string, name: string): number {
  const title = TITLES[name];
  const line = title === undefined ? undefined : text.split("\n").find((each) => each.startsWith(`${title} `));
  const [, hard = "unlimited"] = (line ?? "")
    .slice(title?.length ?? 0)
    .trim()
    .split(/\s+/);
  return hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}

export function isLimitName(name: string): boolean {
  return name in TITLES;
}
