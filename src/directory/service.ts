import type { Protocol, ServiceEntry, ServicePortEntry } from "../model/network.ts";
import { affinitySecondsOf, preferenceOf, type Service, type ServicePort, services } from "../model/service.ts";
import type { EntrySource } from "./entry-source.ts";

/** Kubernetes' Services. */
export function serviceSource(): EntrySource {
  return {
    name: "services",
    kinds: [services],
    begin(reader, sink) {
      for (const service of reader.list(services)) sink.put(serviceEntry(service));
    },
    changed(changes, _reader, sink) {
      for (const { type, key, object } of changes) {
        if (type === "removed") sink.remove("service", key);
        else sink.put(serviceEntry(object as Service));
      }
    },
  };
}

export function serviceEntry(service: Service): ServiceEntry {
  const { metadata, spec = {} } = service;
  const { namespace = "default", name } = metadata;
  const affinitySeconds = affinitySecondsOf(service);
  const prefer = preferenceOf(service);
  return {
    kind: "service",
    id: `${namespace}/${name}`,
    ...{ namespace, name, addresses: addressesOf(service) },
    ...(spec.type === "ExternalName" && spec.externalName ? { externalName: hostName(spec.externalName) } : {}),
    ports: spec.type === "ExternalName" ? [] : (spec.ports ?? []).map(portEntry),
    ...(affinitySeconds === undefined ? {} : { affinitySeconds }),
    externalTraffic: spec.externalTrafficPolicy === "Local" ? "local" : "cluster",
    internalTraffic: spec.internalTrafficPolicy === "Local" ? "local" : "cluster",
    ...(prefer === undefined ? {} : { prefer }),
    ...(spec.publishNotReadyAddresses === true ? { publishNotReady: true } : {}),
    ...(spec.ports?.some(({ nodePort }) => nodePort !== undefined) ? { since: metadata.creationTimestamp } : {}),
  };
}

/** The pod network speaks IPv4. */
function addressesOf({ spec = {} }: Service): readonly string[] {
  if (spec.type === "ExternalName") return [];
  const all = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  return all.filter((address) => /^\d+\.\d+\.\d+\.\d+$/.test(address));
}

function portEntry({ name = "", protocol = "TCP", port, nodePort }: ServicePort): ServicePortEntry {
  const entry = { name, protocol: protocol.toLowerCase() as Protocol, port };
  return nodePort === undefined ? entry : { ...entry, nodePort };
}

function hostName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
