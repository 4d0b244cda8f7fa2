import type { Usage } from "../../model/streams.ts";
import type { Clock } from "../../seams/clock.ts";
import type { CgroupUsage } from "../cgroup/cgroup-tree.ts";

const NANOS_PER_MS = 1_000_000;

/** Makes averages since the last reading out of counters. */
export class UsageMeter {
  readonly #clock: Clock;
  readonly #last = new Map<string, { readonly atMs: number; readonly cpuNanos: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The first reading of a cgroup has no CPU yet. */
  read(cgroup: string, usage: CgroupUsage | undefined): Usage | undefined {
    if (!usage) return undefined;
    const atMs = this.#clock.monotonic();
    const last = this.#last.get(cgroup);
    this.#last.set(cgroup, { atMs, cpuNanos: usage.cpuNanos });
    const elapsedMs = last ? atMs - last.atMs : 0;
    const usedMs = last ? (usage.cpuNanos - last.cpuNanos) / NANOS_PER_MS : 0;
    const cpuMillis = elapsedMs > 0 ? Math.max(0, Math.round((usedMs / elapsedMs) * 1000)) : 0;
    return { cpuMillis, memoryBytes: usage.memoryBytes };
  }

  forget(cgroup: string): void {
    this.#last.delete(cgroup);
  }
}
