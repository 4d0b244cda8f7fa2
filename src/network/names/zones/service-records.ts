/** Names of Kubernetes' Services, after its DNS specification 1.1.0 (github.com/kubernetes/dns, docs/specification.md). Pure. */
import { formatAddress, parseAddress } from "../../../lib/subnet.ts";
import type { EndpointEntry, EndpointsEntry, ServiceEntry } from "../../../model/network.ts";
import type { RecordData } from "../wire/record.ts";
import type { NamedRecord } from "./record-table.ts";

/** What stands whatever its endpoints do. Services of other dialects have no such names. */
export function serviceRecords(service: ServiceEntry, domain: string): readonly NamedRecord[] {
  const base = baseOf(service, domain);
  if (base === undefined) return [];
  if (service.externalName !== undefined) {
    const target = service.externalName.toLowerCase().replace(/\.$/, "");
    return [{ name: base, data: { type: "CNAME", target } }];
  }
  const addresses = service.addresses.flatMap((text) => parseAddress(text) ?? []);
  if (addresses.length === 0) return [];
  return [
    ...addresses.map((address): NamedRecord => ({ name: base, data: { type: "A", address } })),
    ...addresses.map((address): NamedRecord => ({ name: reverseName(address), data: { type: "PTR", target: base } })),
    ...service.ports.flatMap((port) => portRecords(base, port, { type: "SRV", target: base, port: port.port })),
  ];
}

/** Of each endpoint that takes connections: its own name and its reverse; those of a headless Service stand for the Service. */
export function endpointRecords(
  service: ServiceEntry,
  { endpoints, ports }: EndpointsEntry,
  domain: string,
): readonly NamedRecord[] {
  const base = baseOf(service, domain);
  if (base === undefined || service.externalName !== undefined) return [];
  const isHeadless = service.addresses.length === 0;
  return endpoints.flatMap((endpoint): readonly NamedRecord[] => {
    const address = parseAddress(endpoint.address);
    if (address === undefined || !(endpoint.state === "ready" || service.publishNotReady)) return [];
    const own = `${hostLabel(endpoint, address)}.${base}`;
    const data: RecordData = { type: "A", address };
    const named: NamedRecord[] = [
      { name: own, data },
      { name: reverseName(address), data: { type: "PTR", target: own } },
    ];
    if (!isHeadless) return named;
    const srv = ports.flatMap((port) => portRecords(base, port, { type: "SRV", target: own, port: port.port }));
    return [...named, { name: base, data: { type: "A", address } }, ...srv];
  });
}

/** By the port's name, and by the Service's own: who does not know the port's name gets all of them. */
function portRecords(
  base: string,
  { name, protocol }: { readonly name: string; readonly protocol: string },
  data: RecordData,
): readonly NamedRecord[] {
  const named = name === "" ? [] : [{ name: `_${name.toLowerCase()}._${protocol}.${base}`, data }];
  return [...named, { name: base, data: { ...data } }];
}

function baseOf({ namespace, name }: ServiceEntry, domain: string): string | undefined {
  if (namespace === undefined || name === undefined) return undefined;
  return `${name}.${namespace}.svc.${domain}`.toLowerCase();
}

function hostLabel({ hostname }: EndpointEntry, address: number): string {
  return hostname?.toLowerCase() ?? formatAddress(address).replaceAll(".", "-");
}

/** `5.0.42.10.in-addr.arpa` of 10.42.0.5. */
export function reverseName(address: number): string {
  return `${formatAddress(address).split(".").reverse().join(".")}.in-addr.arpa`;
}

export function addressOfReverseName(name: string): number | undefined {
  const numbers = /^(\d{1,3}(?:\.\d{1,3}){3})\.in-addr\.arpa$/.exec(name)?.[1];
  return numbers === undefined ? undefined : parseAddress(numbers.split(".").reverse().join("."));
}
