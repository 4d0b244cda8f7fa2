/** Cluster addresses of Services. The stored Services are the only record of what is taken, so a restart changes nothing. */
import { formatAddress, parseAddress, parseSubnet, type Subnet } from "../../lib/subnet.ts";
import { CLUSTER_NETWORK_NAME, clusterNetworks, networkInForce } from "../../model/cluster-network.ts";
import type { Publisher } from "../../model/discovery.ts";
import type { FieldError } from "../../model/errors.ts";
import { type Service, services } from "../../model/service.ts";
import type { Tx } from "../../store/transaction.ts";
import { isReachedFromOutside } from "./default-service.ts";
import { allocateNodePorts } from "./node-ports.ts";
import { hashOf } from "./stable-hash.ts";
import { invalid } from "./status.ts";
import { invalidValue } from "./validate/field-errors.ts";

/** Gives the Service what its type needs and it does not have. Refuses with 422 what is out of range or taken. */
export function allocateAddresses(
  tx: Tx,
  service: Service,
  publishers: readonly Publisher[],
  before?: Service,
): Service {
  if (service.spec.type === "ExternalName") return service;
  const clusterIP = service.spec.clusterIP || freeAddress(tx, service);
  const { ports, errors } = allocateNodePorts(tx, service, publishers, before);
  const isOld = clusterIP === "None" || clusterIP === before?.spec.clusterIP;
  const all = [...(isOld ? [] : checkAddress(tx, service, clusterIP)), ...errors];
  if (all.length > 0) throw invalid("Service", service.metadata.name, all);
  return { ...service, spec: { ...service.spec, clusterIP, clusterIPs: [clusterIP], ...(ports ? { ports } : {}) } };
}

/** What a replacement leaves out but the Service already has: its address and its node ports. */
export function keepAddresses(after: Service, before: Service): Service {
  const { type } = after.spec;
  if (type === "ExternalName") return after;
  const known = new Map(before.spec.ports?.map((old) => [`${old.protocol}/${old.port}`, old]));
  const ports = after.spec.ports?.map((port, at) => {
    if (port.nodePort || !isReachedFromOutside(type)) return port;
    const old = known.get(`${port.protocol}/${port.port}`);
    const nodePort =
      old?.nodePort ?? (before.spec.ports?.length === 1 && at === 0 ? before.spec.ports[0]?.nodePort : undefined);
    return nodePort === undefined ? port : { ...port, nodePort };
  });
  const clusterIP = after.spec.clusterIP || before.spec.clusterIP;
  return {
    ...after,
    spec: {
      ...after.spec,
      ...(clusterIP === undefined ? {} : { clusterIP }),
      ...(ports === undefined ? {} : { ports }),
    },
  };
}

function rangeOf(tx: Tx): Subnet {
  const { serviceRange } = networkInForce(tx.get(clusterNetworks, CLUSTER_NETWORK_NAME));
  const range = parseSubnet(serviceRange);
  if (!range) throw new Error(`the service range ${serviceRange} is no range of addresses`);
  return range;
}

/** The lowest are left, as long as there are others, to those who choose an address themselves. Source: pkg/registry/core/service/ipallocator. */
function reservedOf(size: number): number {
  return Math.min(Math.max(16, Math.floor(size / 16)), 256);
}

function freeAddress(tx: Tx, service: Service): string {
  const { first, last, text } = rangeOf(tx);
  // Neither the range's own address nor its broadcast.
  const [lowest, highest] = [first + 1, last - 1];
  const middle = Math.min(first + reservedOf(last - first + 1), highest);
  const found = search(tx, service, middle, highest) ?? search(tx, service, lowest, middle - 1);
  if (found !== undefined) return found;
  const why = `failed to allocate a serviceIP: range is full: all ${highest - lowest + 1} addresses of ${text} are taken`;
  throw invalid("Service", service.metadata.name, [invalidValue("spec.clusterIPs", [], why)]);
}

/** From a place that the Service's name decides, so that a replay gives the same addresses. */
function search(tx: Tx, { metadata }: Service, lowest: number, highest: number): string | undefined {
  const usable = highest - lowest + 1;
  if (usable <= 0) return undefined;
  const start = hashOf(`${metadata.namespace}/${metadata.name}/address`) % usable;
  for (let step = 0; step < usable; step++) {
    const address = formatAddress(lowest + ((start + step) % usable));
    if (tx.by(services, "clusterIP", address).length === 0) return address;
  }
  return undefined;
}

function checkAddress(tx: Tx, service: Service, address: string): readonly FieldError[] {
  const { first, last, text } = rangeOf(tx);
  const value = parseAddress(address);
  const wrong = (why: string) => [
    invalidValue("spec.clusterIPs", [address], `failed to allocate IP ${address}: ${why}`),
  ];
  if (value === undefined || value <= first || value >= last)
    return wrong(`the provided IP is not in the valid range. The range of valid IPs is ${text}`);
  return takenByOther(tx, service, address) ? wrong("provided IP is already allocated") : [];
}

function takenByOther(tx: Tx, { metadata }: Service, address: string): boolean {
  return tx
    .by(services, "clusterIP", address)
    .some((other) => other.metadata.name !== metadata.name || other.metadata.namespace !== metadata.namespace);
}
