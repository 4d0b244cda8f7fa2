/** Endpoints that a person or a program wrote for a Service without selector, as endpoints of slices. Pure. Source: pkg/controller/endpointslicemirroring. */
import type { SliceEndpoint, SlicePort } from "../../model/endpoint-slice.ts";
import type { EndpointAddress, EndpointSubset, Endpoints } from "../../model/endpoints.ts";
import type { WantedEndpoint } from "./wanted-endpoint.ts";

/** Set to "true", slices are left to whoever set it. */
const SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror";
/** Endpoints that are a lock of client-go's leader election, and no place to go. */
const LEADER = "control-plane.alpha.kubernetes.io/leader";
/** Of each subset, as Kubernetes cuts it off. */
const MOST_ADDRESSES = 1000;

export function isMirrored({ metadata }: Endpoints): boolean {
  return metadata.labels?.[SKIP_MIRROR] !== "true" && metadata.annotations?.[LEADER] === undefined;
}

export function mirroredEndpoints({ subsets = [] }: Endpoints): readonly WantedEndpoint[] {
  return subsets.flatMap((subset) => {
    const ports = portsOf(subset);
    const from = (list: readonly EndpointAddress[] | undefined, isReady: boolean) =>
      (list ?? []).map((address) => ({ ports, endpoint: endpointOf(address, isReady) }));
    return [...from(subset.addresses, true), ...from(subset.notReadyAddresses, false)].slice(0, MOST_ADDRESSES);
  });
}

function portsOf({ ports = [] }: EndpointSubset): readonly SlicePort[] {
  return ports.map(({ name = "", port, protocol = "TCP", appProtocol }) => ({
    name,
    port,
    protocol: protocol as NonNullable<SlicePort["protocol"]>,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }));
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, isReady: boolean): SliceEndpoint {
  return {
    addresses: [ip],
    conditions: { ready: isReady },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef ? { targetRef } : {}),
  };
}
