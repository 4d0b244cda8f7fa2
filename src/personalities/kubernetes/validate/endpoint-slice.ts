/** Source: pkg/apis/discovery/validation. */
import { isIPv4, isIPv6 } from "node:net";
import type { EndpointSlice, SliceEndpoint, SlicePort } from "../../../model/endpoint-slice.ts";
import { validateEndpointIp } from "./addresses.ts";
import { duplicate, type FieldError, immutable, invalidValue, required, tooMany, unsupported } from "./field-errors.ts";
import { dnsLabel, dnsSubdomain, qualifiedName } from "./names.ts";
import { validatePort } from "./probes.ts";

const ADDRESS_TYPES = ["FQDN", "IPv4", "IPv6"] as const;
const PROTOCOLS = ["SCTP", "TCP", "UDP"] as const;
const MOST_ENDPOINTS = 1000;
const MOST_ADDRESSES = 100;
/** As many as a Service may have; Kubernetes takes 20,000. */
const MOST_PORTS = 2_000;

export function validateEndpointSlice(slice: EndpointSlice): readonly FieldError[] {
  const { addressType, endpoints = [], ports = [] } = slice;
  if (!addressType) return [required("addressType")];
  if (!ADDRESS_TYPES.includes(addressType)) return [unsupported("addressType", addressType, ADDRESS_TYPES)];
  const tooManyEndpoints =
    endpoints.length > MOST_ENDPOINTS ? [tooMany("endpoints", endpoints.length, MOST_ENDPOINTS)] : [];
  return [
    ...tooManyEndpoints,
    ...endpoints
      .slice(0, MOST_ENDPOINTS)
      .flatMap((endpoint, at) => validateEndpoint(endpoint, addressType, `endpoints[${at}]`)),
    ...validatePorts(ports),
  ];
}

export function validateEndpointSliceUpdate(after: EndpointSlice, before: EndpointSlice): readonly FieldError[] {
  return after.addressType === before.addressType ? [] : [immutable("addressType", after.addressType)];
}

function validateEndpoint(
  { addresses = [], hostname, nodeName }: Partial<SliceEndpoint>,
  type: EndpointSlice["addressType"],
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(`${path}.addresses`, "must contain at least 1 address"));
  if (addresses.length > MOST_ADDRESSES) errors.push(tooMany(`${path}.addresses`, addresses.length, MOST_ADDRESSES));
  addresses.slice(0, MOST_ADDRESSES).forEach((address, at) => {
    errors.push(...validateAddress(address, type, `${path}.addresses[${at}]`));
  });
  const named = (name: string, field: string, problems: readonly string[]) =>
    problems.map((why) => invalidValue(`${path}.${field}`, name, why));
  if (hostname !== undefined) errors.push(...named(hostname, "hostname", dnsLabel(hostname)));
  if (nodeName !== undefined) errors.push(...named(nodeName, "nodeName", dnsSubdomain(nodeName)));
  return errors;
}

function validateAddress(address: string, type: EndpointSlice["addressType"], path: string): readonly FieldError[] {
  if (type === "FQDN") return dnsSubdomain(address).map((why) => invalidValue(path, address, why));
  const isOfType = type === "IPv4" ? isIPv4(address) : isIPv6(address);
  if (isOfType) return validateEndpointIp(address, path);
  return [
    invalidValue(path, address, type === "IPv4" ? "must be a valid IPv4 address" : "must be a valid IPv6 address"),
  ];
}

function validatePorts(ports: readonly SlicePort[]): readonly FieldError[] {
  if (ports.length > MOST_PORTS) return [tooMany("ports", ports.length, MOST_PORTS)];
  const names = new Set<string>();
  return ports.flatMap(({ name = "", protocol = "TCP", port, appProtocol }, at) => {
    const path = `ports[${at}]`;
    const errors: FieldError[] =
      name === "" ? [] : dnsLabel(name).map((why) => invalidValue(`${path}.name`, name, why));
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    if (!PROTOCOLS.includes(protocol)) errors.push(unsupported(`${path}.protocol`, protocol, PROTOCOLS));
    if (port !== undefined) errors.push(...validatePort(port, `${path}.port`));
    if (appProtocol !== undefined)
      errors.push(...qualifiedName(appProtocol).map((why) => invalidValue(`${path}.appProtocol`, appProtocol, why)));
    return errors;
  });
}
