import type { DiscoveredEndpoint, PublishedService } from "../model/discovery.ts";
import { endpointState } from "../model/endpoint-state.ts";
import { keyOf } from "../model/meta.ts";
import type { EndpointEntry, EndpointsEntry, NameRecord, NamesEntry, ServiceEntry } from "../model/network.ts";
import type { Pod } from "../model/pod.ts";

/** One entry per pod, with its uid for an id: what is to be taken away when it leaves is one line. */
export function namesOfPod(pod: Pod, records: readonly NameRecord[]): readonly NamesEntry[] {
  if (records.length === 0 || endpointState(pod) !== "ready") return [];
  return [{ kind: "names", id: pod.metadata.uid, records }];
}

/** Ports on every node; no address of their own. */
export function serviceOf({ id, ports, affinitySeconds, since }: PublishedService): ServiceEntry {
  return {
    ...{ kind: "service", id, addresses: [] },
    ports: ports.map(({ id: name, protocol, servicePort }) => ({
      ...{ name, protocol, port: servicePort, nodePort: servicePort },
    })),
    ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
    ...(affinitySeconds === undefined ? {} : { affinitySeconds }),
    ...(ports.length === 0 || since === undefined ? {} : { since }),
  };
}

/** Ports that the host gives differ from pod to pod: each pod is an entry, or several where its ports have several addresses. */
export function endpointsOfPod(pod: Pod, { id, ports }: DiscoveredEndpoint): readonly EndpointsEntry[] {
  const { uid } = pod.metadata;
  const addresses = [...new Set(ports.map(({ address }) => address))].filter((address) => address !== "").sort();
  return addresses.map((address, at) => ({
    kind: "endpoints",
    id: at === 0 ? `${id} ${uid}` : `${id} ${uid} ${address}`,
    service: id,
    ports: ports
      .filter((port) => port.address === address)
      .map(({ id: name, protocol, port }) => ({ name, protocol, port })),
    endpoints: [endpointOf(pod, address)],
  }));
}

function endpointOf(pod: Pod, address: string): EndpointEntry {
  const { nodeName } = pod.spec;
  return {
    ...{ address, state: endpointState(pod) },
    ...(nodeName === undefined ? {} : { node: nodeName }),
    ...{ pod: keyOf(pod), uid: pod.metadata.uid },
  };
}
