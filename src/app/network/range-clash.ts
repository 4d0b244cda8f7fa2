import { deviceName } from "../../lib/device-name.ts";
import { DEFAULT_CLUSTER_NETWORK } from "../../model/cluster-network.ts";
import { hostClash } from "../../network/host-routes.ts";
import { readPlace } from "../instance.ts";
import type { Settings } from "../settings.ts";

/** At a cluster's first start: throws an Error with words when its addresses are those of something that this host reaches already. */
export async function refuseClashingRanges(settings: Settings): Promise<void> {
  const { stateDir, clusterNetwork, clusterAddresses, networkName } = settings;
  if (!clusterNetwork || (await readPlace(stateDir)) !== undefined) return;
  const { clusterRange, serviceRange } = { ...DEFAULT_CLUSTER_NETWORK, ...clusterAddresses };
  for (const [option, range, what] of [
    ["--cluster-range", clusterRange, "pods"],
    ["--service-range", serviceRange, "Services"],
  ] as const) {
    const clash = await hostClash(range, deviceName(networkName));
    if (clash !== undefined)
      throw new Error(`${range} cannot be the addresses of this cluster's ${what}: ${clash} (${option} CIDR)`);
  }
}
