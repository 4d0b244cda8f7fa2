import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CgroupLimits, cpuShares, cpuWeight, limitFilesV1, limitFilesV2 } from "./limit-files.ts";

const MIB = 1024 * 1024;

describe("limit files", () => {
  const cases: { why: string; limits: CgroupLimits; v1: Record<string, string>; v2: Record<string, string> }[] = [
    {
      why: "half a CPU and 64 MiB, swap included",
      limits: { cpuRequestMillis: 250, cpuLimitMillis: 500, memoryLimitBytes: 64 * MIB, pidsLimit: 100 },
      v1: {
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_quota_us": "50000",
        "cpu.shares": "256",
        "memory.limit_in_bytes": "67108864",
        "memory.memsw.limit_in_bytes": "67108864",
        "pids.max": "100",
      },
      v2: {
        "cpu.max": "50000 100000",
        "cpu.weight": "10",
        "memory.max": "67108864",
        "memory.swap.max": "0",
        "pids.max": "100",
      },
    },
    {
      why: "nothing limited lifts what was set before",
      limits: {},
      v1: {
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_quota_us": "-1",
        "memory.limit_in_bytes": "-1",
        "memory.memsw.limit_in_bytes": "-1",
        "pids.max": "max",
      },
      v2: { "cpu.max": "max 100000", "memory.max": "max", "memory.swap.max": "max", "pids.max": "max" },
    },
    {
      why: "what the kernel or an exec would refuse is raised to the least",
      limits: { cpuRequestMillis: 0, cpuLimitMillis: 1, memoryLimitBytes: 1 },
      v1: {
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_quota_us": "1000",
        "cpu.shares": "2",
        "memory.limit_in_bytes": String(6 * MIB),
        "memory.memsw.limit_in_bytes": String(6 * MIB),
        "pids.max": "max",
      },
      v2: {
        "cpu.max": "1000 100000",
        "cpu.weight": "1",
        "memory.max": String(6 * MIB),
        "memory.swap.max": "0",
        "pids.max": "max",
      },
    },
  ];
  for (const { why, limits, v1, v2 } of cases) {
    test(why, () => {
      assert.deepEqual(Object.fromEntries(limitFilesV1(limits).map(({ file, value }) => [file, value])), v1);
      assert.deepEqual(Object.fromEntries(limitFilesV2(limits).map(({ file, value }) => [file, value])), v2);
    });
  }

  test("v1: the limit with swap is out of the way before the one without is raised, and set after", () => {
    const files = limitFilesV1({ memoryLimitBytes: 64 * MIB }).filter(({ controller }) => controller === "memory");
    assert.deepEqual(
      files.map(({ file, value }) => `${file}=${value}`),
      ["memory.memsw.limit_in_bytes=-1", "memory.limit_in_bytes=67108864", "memory.memsw.limit_in_bytes=67108864"],
    );
  });

  test("shares and weights stay within what the kernel takes", () => {
    assert.deepEqual([cpuShares(0), cpuShares(1000), cpuShares(1e9)], [2, 1024, 262_144]);
    assert.deepEqual([cpuWeight(2), cpuWeight(1024), cpuWeight(262_144)], [1, 39, 10_000]);
  });
});
