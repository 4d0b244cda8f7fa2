/** A pod as an endpoint of a Service. Pure. Source: k8s.io/endpointslice utils.go, podToEndpoint and getEndpointPorts. */
import type { SliceEndpoint, SlicePort } from "../../model/endpoint-slice.ts";
import { isOnLostNode } from "../../model/node-state.ts";
import { isReady, isTerminal, type Pod } from "../../model/pod.ts";
import { preferenceOf, type Service } from "../../model/service.ts";
import { targetOf } from "../endpoints-subsets.ts";
import type { WantedEndpoint } from "./wanted-endpoint.ts";

/** `zone`: of the pod's node. Undefined: the pod has no address yet, or runs no more. */
export function podEndpoint(service: Service, pod: Pod, zone: string | undefined): WantedEndpoint | undefined {
  if (!pod.status.podIP || isTerminal(pod)) return undefined;
  return { ports: portsOf(service, pod), endpoint: endpointOf(service, pod, pod.status.podIP, zone) };
}

function portsOf({ spec }: Service, pod: Pod): readonly SlicePort[] {
  return (spec.ports ?? []).flatMap((port) => {
    const number = targetOf(port, pod);
    if (number === undefined) return [];
    const { name = "", protocol = "TCP", appProtocol } = port;
    return [{ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

function endpointOf(service: Service, pod: Pod, address: string, zone: string | undefined): SliceEndpoint {
  const { name, namespace = "", uid } = pod.metadata;
  const { hostname, subdomain, nodeName } = pod.spec;
  const conditions = conditionsOf(service, pod);
  const hasOwnName = hostname !== undefined && subdomain === service.metadata.name;
  return {
    addresses: [address],
    conditions,
    ...(hasOwnName ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: { kind: "Pod", namespace, name, uid },
    ...(zone === undefined ? {} : { zone }),
    ...(conditions.ready ? hintsFor(service, zone, nodeName) : {}),
  };
}

/** On its way out it is not ready at once, though it may still serve; of one on a lost node nobody can say that it does. */
function conditionsOf({ spec }: Service, pod: Pod): { ready: boolean; serving: boolean; terminating: boolean } {
  const serving = isReady(pod) && !isOnLostNode(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  return { ready: spec.publishNotReadyAddresses === true || (serving && !terminating), serving, terminating };
}

/** Clients that read hints take only endpoints that are meant for their own zone, or node. */
function hintsFor(
  service: Service,
  zone: string | undefined,
  nodeName: string | undefined,
): Pick<SliceEndpoint, "hints"> {
  const preference = preferenceOf(service);
  const hints = {
    ...(preference !== undefined && zone !== undefined ? { forZones: [{ name: zone }] } : {}),
    ...(preference === "same-node" && nodeName !== undefined ? { forNodes: [{ name: nodeName }] } : {}),
  };
  return Object.keys(hints).length === 0 ? {} : { hints };
}
