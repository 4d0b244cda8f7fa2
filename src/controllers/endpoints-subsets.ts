/** Which addresses of which pods serve which ports of a Service. Pure. Source: pkg/controller/endpoint and pkg/api/v1/endpoints RepackSubsets. */
import type { EndpointAddress, EndpointPort, EndpointSubset } from "../model/endpoints.ts";
import { isOnLostNode } from "../model/node-state.ts";
import { isReady, isTerminal, type Pod } from "../model/pod.ts";
import type { Service, ServicePort } from "../model/service.ts";

/** Kubernetes cuts an Endpoints object off here. */
const MOST_ADDRESSES = 1000;

/** Pods whose named ports differ make different subsets. Sorted, so that nothing is written when nothing changed. */
export function planSubsets(service: Service, picked: readonly Pod[]): readonly EndpointSubset[] {
  const groups = new Map<
    string,
    { ports: readonly EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }
  >();
  let count = 0;
  for (const pod of picked) {
    if (!mayServe(service, pod) || count >= MOST_ADDRESSES) continue;
    const ports = portsOf(service, pod);
    if (ports.length === 0 && (service.spec.ports ?? []).length > 0) continue;
    count++;
    const id = JSON.stringify(ports);
    const group = groups.get(id) ?? { ports, ready: [], notReady: [] };
    groups.set(id, group);
    const isServing = isReady(pod) || service.spec.publishNotReadyAddresses === true;
    (isServing ? group.ready : group.notReady).push(addressOf(service, pod));
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length > 0 ? { addresses: byAddress(ready) } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: byAddress(notReady) } : {}),
      ...(ports.length > 0 ? { ports } : {}),
    }));
}

/** Has an address, is not over nor lost with its node, and is not on its way out: one that is being deleted takes no new traffic. */
function mayServe({ spec }: Service, pod: Pod): boolean {
  if (!pod.status.podIP || isTerminal(pod) || isOnLostNode(pod)) return false;
  return pod.metadata.deletionTimestamp === undefined || spec.publishNotReadyAddresses === true;
}

function portsOf({ spec }: Service, pod: Pod): readonly EndpointPort[] {
  return (spec.ports ?? []).flatMap((port) => {
    const number = targetOf(port, pod);
    if (number === undefined) return [];
    const { name, protocol = "TCP", appProtocol } = port;
    const named = { ...(name === undefined ? {} : { name }), port: number, protocol };
    return [{ ...named, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

/** A named target is looked up in the pod's own ports; a pod that has none of that name does not serve it. */
export function targetOf(
  { port, protocol = "TCP", targetPort = port }: ServicePort,
  { spec }: Pod,
): number | undefined {
  if (typeof targetPort === "number") return targetPort;
  if (/^\d+$/.test(targetPort)) return Number(targetPort);
  for (const container of spec.containers) {
    const found = container.ports?.find((own) => own.name === targetPort && (own.protocol ?? "TCP") === protocol);
    if (found) return found.containerPort;
  }
  return undefined;
}

function addressOf(service: Service, { metadata, spec, status }: Pod): EndpointAddress {
  const { name, namespace = "", uid } = metadata;
  const hasOwnName = spec.hostname !== undefined && spec.subdomain === service.metadata.name;
  return {
    ip: status.podIP ?? "",
    ...(hasOwnName && spec.hostname !== undefined ? { hostname: spec.hostname } : {}),
    ...(spec.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
    targetRef: { kind: "Pod", namespace, name, uid },
  };
}

function byAddress(addresses: readonly EndpointAddress[]): readonly EndpointAddress[] {
  const id = ({ ip, targetRef }: EndpointAddress) => `${ip} ${targetRef?.uid ?? ""}`;
  return addresses.toSorted((a, b) => (id(a) < id(b) ? -1 : 1));
}
