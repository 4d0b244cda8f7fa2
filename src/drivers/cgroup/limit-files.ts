/** What a cgroup is limited to. Absent = not limited. */
export interface CgroupLimits {
  /** Weight against others; absent leaves the kernel's default. */
  readonly cpuRequestMillis?: number;
  readonly cpuLimitMillis?: number;
  readonly memoryLimitBytes?: number;
  readonly pidsLimit?: number;
}

export interface LimitFile {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
  /** Not every kernel has it (swap accounting may be off). */
  readonly optional?: boolean;
}

/** The kernel's own default period; a quota below 1 ms is refused by it. */
const PERIOD_US = 100_000;
const LEAST_QUOTA_US = 1000;
/** As Docker: with less than this not even the exec of a small program succeeds. */
const LEAST_MEMORY_BYTES = 6 * 1024 * 1024;

/** What to write, in this order. Source: kernel Documentation/admin-guide/cgroup-v1. */
export function limitFilesV1(limits: CgroupLimits): readonly LimitFile[] {
  const memory = memoryOf(limits);
  const quota = quotaOf(limits);
  const files: LimitFile[] = [
    // The limit on memory with swap may never be below the one without: out of the way first, then set.
    { controller: "memory", file: "memory.memsw.limit_in_bytes", value: "-1", optional: true },
    { controller: "memory", file: "memory.limit_in_bytes", value: memory === undefined ? "-1" : String(memory) },
  ];
  if (memory !== undefined) {
    files.push({
      controller: "memory",
      file: "memory.memsw.limit_in_bytes",
      value: String(memory),
      optional: true,
    });
  }
  if (limits.cpuRequestMillis !== undefined) {
    files.push({ controller: "cpu", file: "cpu.shares", value: String(cpuShares(limits.cpuRequestMillis)) });
  }
  files.push(
    { controller: "cpu", file: "cpu.cfs_period_us", value: String(PERIOD_US), optional: true },
    {
      controller: "cpu",
      file: "cpu.cfs_quota_us",
      value: quota === undefined ? "-1" : String(quota),
      optional: quota === undefined,
    },
    { controller: "pids", file: "pids.max", value: pidsOf(limits) },
  );
  return files;
}

/** What to write. Source: kernel Documentation/admin-guide/cgroup-v2. */
export function limitFilesV2(limits: CgroupLimits): readonly LimitFile[] {
  const memory = memoryOf(limits);
  const quota = quotaOf(limits);
  const files: LimitFile[] = [
    { controller: "memory", file: "memory.max", value: memory === undefined ? "max" : String(memory) },
    { controller: "memory", file: "memory.swap.max", value: memory === undefined ? "max" : "0", optional: true },
  ];
  if (limits.cpuRequestMillis !== undefined) {
    files.push({
      controller: "cpu",
      file: "cpu.weight",
      value: String(cpuWeight(cpuShares(limits.cpuRequestMillis))),
    });
  }
  files.push(
    { controller: "cpu", file: "cpu.max", value: `${quota ?? "max"} ${PERIOD_US}`, optional: quota === undefined },
    { controller: "pids", file: "pids.max", value: pidsOf(limits) },
  );
  return files;
}

/** 1024 shares a core, at least 2. Source: Kubernetes MilliCPUToShares. */
export function cpuShares(millis: number): number {
  return Math.min(262_144, Math.max(2, Math.floor((millis * 1024) / 1000)));
}

/** v1's 2…262144 onto v2's 1…10000. Source: Kubernetes KEP-2254. */
export function cpuWeight(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142);
}

function quotaOf({ cpuLimitMillis }: CgroupLimits): number | undefined {
  if (cpuLimitMillis === undefined) return undefined;
  return Math.max(LEAST_QUOTA_US, Math.round((cpuLimitMillis * PERIOD_US) / 1000));
}

function memoryOf({ memoryLimitBytes }: CgroupLimits): number | undefined {
  return memoryLimitBytes === undefined ? undefined : Math.max(LEAST_MEMORY_BYTES, memoryLimitBytes);
}

function pidsOf({ pidsLimit }: CgroupLimits): string {
  return pidsLimit === undefined ? "max" : String(pidsLimit);
}
