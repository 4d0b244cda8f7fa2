import type { Usage } from "../../model/streams.ts";
import { readCgroupFile } from "./cgroup-files.ts";
import type { CgroupTree } from "./cgroup-tree.ts";

interface Reading {
  readonly cpuNanos: number;
  readonly atMs: number;
}

/** Turns a cgroup's counters into averages since the reading before. The first reading of a cgroup has no average: 0. */
export class UsageMeter {
  readonly #tree: CgroupTree;
  readonly #last = new Map<string, Reading>();

  constructor(tree: CgroupTree) {
    this.#tree = tree;
  }

  /** Undefined when there is no such cgroup. */
  read(cgroup: string): Usage | undefined {
    const counters = this.#tree.usage(cgroup);
    if (!counters) {
      this.#last.delete(cgroup);
      return undefined;
    }
    const reading = { cpuNanos: counters.cpuNanos, atMs: performance.now() };
    const before = this.#last.get(cgroup);
    this.#last.set(cgroup, reading);
    const usedMs = before ? (reading.cpuNanos - before.cpuNanos) / 1e6 : 0;
    const passedMs = before ? Math.max(1, reading.atMs - before.atMs) : 1;
    const memoryBytes = counters.memoryBytes || residentBytes(this.#tree.pids(cgroup));
    return { cpuMillis: Math.max(0, Math.round((usedMs * 1000) / passedMs)), memoryBytes };
  }

  forget(cgroup: string): void {
    this.#last.delete(cgroup);
  }
}

/** What a process had before it came into its cgroup is not charged there; for a small one that may be all it has. */
function residentBytes(pids: readonly number[]): number {
  const kibibytes = pids.map((pid) => {
    const status = readCgroupFile(`/proc/${pid}/status`) ?? "";
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0);
  });
  return kibibytes.reduce((sum, each) => sum + each, 0) * 1024;
}
