import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import type { CgroupLimits } from "../cgroup/limit-files.ts";
import type { RunLimits } from "../driver.ts";

/** What the unit's cgroup is limited to: the stricter of what the pod and what the unit itself says. */
export function unitCgroupLimits(service: ServiceSettings, limits: RunLimits): CgroupLimits {
  const cpuLimitMillis = least(service.cpuQuotaMillis, limits.cpuLimitMillis);
  const memoryLimitBytes = least(service.memoryMaxBytes, limits.memoryLimitBytes);
  return {
    cpuRequestMillis: weightMillis(service) ?? limits.cpuRequestMillis,
    ...(cpuLimitMillis === undefined ? {} : { cpuLimitMillis }),
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    ...(service.tasksMax === undefined ? {} : { pidsLimit: service.tasksMax }),
  };
}

/** A limit that the unit's containers have to obey too. */
export function isLimited({ cpuLimitMillis, memoryLimitBytes, pidsLimit }: CgroupLimits): boolean {
  return cpuLimitMillis !== undefined || memoryLimitBytes !== undefined || pidsLimit !== undefined;
}

/** 1024 shares and systemd's default weight of 100 are one CPU. */
function weightMillis({ cpuShares, cpuWeight }: ServiceSettings): number | undefined {
  if (cpuShares !== undefined) return Math.ceil((cpuShares * 1000) / 1024);
  return cpuWeight === undefined ? undefined : cpuWeight * 10;
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
