/** Cluster addresses and node ports of Services. The stored Services are the only record of what is taken, so a restart changes nothing. */
import { createHash } from "node:crypto";
import type { FieldError } from "../../model/errors.ts";
import { type Service, type ServicePort, services } from "../../model/service.ts";
import type { Tx } from "../../store/transaction.ts";
import { invalid } from "./status.ts";
import { invalidValue } from "./validate/field-errors.ts";

/** 10.96.0.0/12, Kubernetes' default. The lowest 256 are left to those who choose an address themselves. */
const FIRST_ADDRESS = (10 << 24) | (96 << 16);
const ADDRESSES = 2 ** 20;
const RESERVED_ADDRESSES = 256;
/** Kubernetes' default range of node ports, its lowest 86 left to those who choose. */
const FIRST_NODE_PORT = 30_000;
const LAST_NODE_PORT = 32_767;
const RESERVED_NODE_PORTS = 86;

/** Gives the Service what its type needs and it does not have. Refuses with 422 what is out of range or taken. */
export function allocateAddresses(tx: Tx, service: Service): Service {
  const { type } = service.spec;
  if (type === "ExternalName") return service;
  const clusterIP = service.spec.clusterIP || freeAddress(tx, service);
  const checked = clusterIP === "None" ? [] : checkAddress(tx, service, clusterIP);
  const errors: FieldError[] = [...checked];
  const wantsNodePorts = type === "NodePort" || type === "LoadBalancer";
  const taken = new Set<string>();
  const ports = (service.spec.ports ?? []).map((port, at): ServicePort => {
    if (!wantsNodePorts) return port;
    const nodePort = port.nodePort || freeNodePort(tx, service, port, taken);
    taken.add(portId(port, nodePort));
    errors.push(...checkNodePort(tx, service, { ...port, nodePort }, `spec.ports[${at}].nodePort`));
    return { ...port, nodePort };
  });
  if (errors.length > 0) throw invalid("Service", service.metadata.name, errors);
  return {
    ...service,
    spec: { ...service.spec, clusterIP, clusterIPs: [clusterIP], ...(service.spec.ports ? { ports } : {}) },
  };
}

/** What a replacement leaves out but the Service already has: its address and its node ports. */
export function keepAddresses(after: Service, before: Service): Service {
  const { type } = after.spec;
  if (type === "ExternalName") return after;
  const keepsNodePorts = type === "NodePort" || type === "LoadBalancer";
  const ports = after.spec.ports?.map((port, at) => {
    if (port.nodePort || !keepsNodePorts) return port;
    const old = before.spec.ports?.find((other) => other.port === port.port && other.protocol === port.protocol);
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

function freeAddress(tx: Tx, service: Service): string {
  const usable = ADDRESSES - RESERVED_ADDRESSES - 1;
  const start = hashOf(service, "address") % usable;
  for (let step = 0; step < usable; step++) {
    const address = addressAt(RESERVED_ADDRESSES + ((start + step) % usable));
    if (tx.by(services, "clusterIP", address).length === 0) return address;
  }
  throw invalid("Service", service.metadata.name, [
    invalidValue("spec.clusterIPs", [], "failed to allocate a serviceIP: range is full"),
  ]);
}

function checkAddress(tx: Tx, service: Service, address: string): readonly FieldError[] {
  const offset = offsetOf(address);
  const shown = [address];
  if (offset === undefined) {
    return [
      invalidValue(
        "spec.clusterIPs",
        shown,
        `failed to allocate IP ${address}: the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/12`,
      ),
    ];
  }
  return takenByOther(tx, service, "clusterIP", address)
    ? [invalidValue("spec.clusterIPs", shown, `failed to allocate IP ${address}: provided IP is already allocated`)]
    : [];
}

function freeNodePort(tx: Tx, service: Service, port: ServicePort, taken: ReadonlySet<string>): number {
  const first = FIRST_NODE_PORT + RESERVED_NODE_PORTS;
  const usable = LAST_NODE_PORT - first + 1;
  const start = hashOf(service, `${port.protocol}/${port.port}`) % usable;
  for (let step = 0; step < usable; step++) {
    const candidate = first + ((start + step) % usable);
    const id = portId(port, candidate);
    if (!taken.has(id) && tx.by(services, "nodePort", id).length === 0) return candidate;
  }
  throw invalid("Service", service.metadata.name, [
    invalidValue("spec.ports", [], "failed to allocate a nodePort: range is full"),
  ]);
}

function checkNodePort(tx: Tx, service: Service, port: ServicePort, field: string): readonly FieldError[] {
  const { nodePort = 0 } = port;
  if (nodePort < FIRST_NODE_PORT || nodePort > LAST_NODE_PORT) {
    return [
      invalidValue(
        field,
        nodePort,
        `provided port is not in the valid range. The range of valid ports is ${FIRST_NODE_PORT}-${LAST_NODE_PORT}`,
      ),
    ];
  }
  return takenByOther(tx, service, "nodePort", portId(port, nodePort))
    ? [invalidValue(field, nodePort, "provided port is already allocated")]
    : [];
}

function takenByOther(tx: Tx, { metadata }: Service, index: string, value: string): boolean {
  return tx
    .by(services, index, value)
    .some((other) => other.metadata.name !== metadata.name || other.metadata.namespace !== metadata.namespace);
}

function portId({ protocol = "TCP" }: ServicePort, nodePort: number): string {
  return `${protocol}/${nodePort}`;
}

function addressAt(offset: number): string {
  const value = FIRST_ADDRESS + offset;
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}

function offsetOf(address: string): number | undefined {
  const bytes = address.split(".");
  if (bytes.length !== 4 || !bytes.every((byte) => /^(0|[1-9]\d{0,2})$/.test(byte) && Number(byte) < 256))
    return undefined;
  const offset = bytes.reduce((value, byte) => value * 256 + Number(byte), 0) - FIRST_ADDRESS;
  return offset > 0 && offset < ADDRESSES - 1 ? offset : undefined;
}

/** Where to begin looking: the same for the same Service, so that a replay gives the same addresses. */
function hashOf({ metadata }: Service, what: string): number {
  return createHash("sha256").update(`${metadata.namespace}/${metadata.name}/${what}`).digest().readUInt32BE(0);
}
