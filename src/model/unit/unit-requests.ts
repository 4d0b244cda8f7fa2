import type { ServiceSettings } from "./service-settings.ts";

/** systemd's CPUShares=1024 is the weight of a process without limits; Kubernetes and Docker count it as one CPU. */
const SHARES_PER_CPU = 1024;

export interface UnitResources {
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
}

/** What a unit asks of a node: a unit has no requests of its own, so its limits count as such; CPUShares= up to CPUQuota=. */
export function unitRequests(service: ServiceSettings): UnitResources {
  const { cpuShares, cpuQuotaMillis } = service;
  const shares = cpuShares === undefined ? undefined : Math.ceil((cpuShares * 1000) / SHARES_PER_CPU);
  const cpuMillis =
    shares === undefined ? cpuQuotaMillis : Math.min(shares, cpuQuotaMillis ?? Number.POSITIVE_INFINITY);
  return resources(cpuMillis, service.memoryMaxBytes);
}

/** What a unit may take at most. */
export function unitLimits(service: ServiceSettings): UnitResources {
  return resources(service.cpuQuotaMillis, service.memoryMaxBytes);
}

function resources(cpuMillis: number | undefined, memoryBytes: number | undefined): UnitResources {
  return {
    ...(cpuMillis === undefined ? {} : { cpuMillis }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}
