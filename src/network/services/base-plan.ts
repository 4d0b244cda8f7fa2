import { formatAddress, parseSubnet } from "../../lib/subnet.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { BasePlan } from "./firewall.ts";
import type { Place } from "./plan-service.ts";

/** What Services have in common on this node, as far as it was told. */
export function basePlanOf({ cluster, self }: NetworkState, isBridgeFiltered: boolean): BasePlan {
  const own = self?.podRange === undefined ? undefined : parseSubnet(self.podRange);
  return {
    ...(cluster === undefined ? {} : { podRange: cluster.podRange, serviceRange: cluster.serviceRange }),
    // The first address after the range's own is the host's.
    ...(own === undefined ? {} : { ownRange: own.text, gateway: formatAddress(own.first + 1) }),
    isBridgeFiltered,
  };
}

export function placeOf({ nodeName, self, lostNodes }: NetworkState): Place {
  return { node: nodeName, lostNodes, ...(self?.zone === undefined ? {} : { zone: self.zone }) };
}
