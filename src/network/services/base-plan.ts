import type { NetworkState } from "../plane/network-state.ts";
import type { BasePlan } from "./firewall.ts";
import { type Foreign, NOTHING_FOREIGN } from "./foreign-ranges.ts";
import type { Place } from "./plan-service.ts";

/** What Services have in common on this node, as far as it was told. */
export function basePlanOf(
  { cluster, self, gateway }: NetworkState,
  isBridgeFiltered: boolean,
  foreign: Foreign = NOTHING_FOREIGN,
): BasePlan {
  return {
    ...(cluster === undefined ? {} : { podRange: cluster.podRange, serviceRange: cluster.serviceRange }),
    ...(self?.podRange === undefined || gateway === undefined ? {} : { ownRange: self.podRange, gateway }),
    isBridgeFiltered,
    foreign,
  };
}

export function placeOf({ nodeName, self, lostNodes }: NetworkState): Place {
  return { node: nodeName, lostNodes, ...(self?.zone === undefined ? {} : { zone: self.zone }) };
}
