/** Node ports of Services: the same port at every node, never one that a node gives to its own pods' host ports. */
import type { FieldError } from "../../model/errors.ts";
import { nodes } from "../../model/node.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { type Service, type ServicePort, services } from "../../model/service.ts";
import { ANNOTATION } from "../../model/well-known.ts";
import type { Tx } from "../../store/transaction.ts";
import { isReachedFromOutside } from "./default-service.ts";
import { hashOf } from "./stable-hash.ts";
import { invalidValue } from "./validate/field-errors.ts";

/** Kubernetes' default range, its lowest 86 left to those who choose. */
const FIRST = 30_000;
const LAST = 32_767;
const RESERVED = 86;
/** What nodes give by themselves unless they are told otherwise. */
const USUAL_DYNAMIC = { first: 31_000, last: 32_000 };

interface Ports {
  readonly ports: readonly ServicePort[] | undefined;
  readonly errors: readonly FieldError[];
}

/** `before`: what the Service has already it keeps. */
export function allocateNodePorts(tx: Tx, service: Service, before?: Service): Ports {
  const { ports } = service.spec;
  if (!ports || !isReachedFromOutside(service.spec.type)) return { ports, errors: [] };
  const allocates = service.spec.allocateLoadBalancerNodePorts !== false;
  const taken = new Set<string>();
  const errors: FieldError[] = [];
  const given = ports.map((port, at): ServicePort => {
    if (!port.nodePort && !allocates) return port;
    const field = `spec.ports[${at}].nodePort`;
    const nodePort = port.nodePort || freeNodePort(tx, service, port, taken);
    if (nodePort === undefined) {
      errors.push(
        invalidValue(field, 0, "failed to allocate a nodePort: range is full: 30000-32767 without 31000-32000"),
      );
      return port;
    }
    taken.add(portId(port, nodePort));
    errors.push(...checkNodePort(tx, service, { ...port, nodePort }, field, before));
    return { ...port, nodePort };
  });
  return { ports: given, errors };
}

function freeNodePort(
  tx: Tx,
  { metadata }: Service,
  port: ServicePort,
  taken: ReadonlySet<string>,
): number | undefined {
  const dynamic = [USUAL_DYNAMIC, ...dynamicRanges(tx)];
  const isFree = (candidate: number) => {
    const id = portId(port, candidate);
    return (
      !taken.has(id) &&
      !dynamic.some(({ first, last }) => candidate >= first && candidate <= last) &&
      tx.by(services, "nodePort", id).length === 0 &&
      tx.by(pods, "servicePort", id).length === 0
    );
  };
  const start = hashOf(`${metadata.namespace}/${metadata.name}/${port.protocol}/${port.port}`);
  return find(FIRST + RESERVED, LAST, start, isFree) ?? find(FIRST, FIRST + RESERVED - 1, start, isFree);
}

/** From a place that the Service's name decides, so that a replay gives the same ports. */
function find(first: number, last: number, start: number, isFree: (port: number) => boolean): number | undefined {
  const usable = last - first + 1;
  for (let step = 0; step < usable; step++) {
    const candidate = first + ((start + step) % usable);
    if (isFree(candidate)) return candidate;
  }
  return undefined;
}

interface DynamicRange {
  readonly first: number;
  readonly last: number;
  /** The first by name of those that give it. */
  readonly node: string;
}

/** Of thousands of nodes nearly all give the same. */
function dynamicRanges(tx: Tx): readonly DynamicRange[] {
  const ranges = new Map<string, DynamicRange>();
  for (const { metadata, status } of tx.list(nodes)) {
    const [first, last] = status.dynamicPorts ?? [0, -1];
    const id = `${first}-${last}`;
    if (first <= last && !ranges.has(id)) ranges.set(id, { first, last, node: metadata.name });
  }
  return [...ranges.values()];
}

function checkNodePort(
  tx: Tx,
  service: Service,
  port: ServicePort,
  field: string,
  before: Service | undefined,
): readonly FieldError[] {
  const { nodePort = 0 } = port;
  if (nodePort < FIRST || nodePort > LAST) {
    const why = `provided port is not in the valid range. The range of valid ports is ${FIRST}-${LAST}`;
    return [invalidValue(field, nodePort, why)];
  }
  const other = takenBy(tx, service, portId(port, nodePort));
  if (other) return [invalidValue(field, nodePort, `provided port is already allocated: ${other} has it`)];
  const isKept = before?.spec.ports?.some((old) => old.nodePort === nodePort && old.protocol === port.protocol);
  return isKept ? [] : refuseDynamic(tx, nodePort, field);
}

/** A node may give it to a pod at any time, or has done so: the Service would take that pod's traffic. */
function refuseDynamic(tx: Tx, nodePort: number, field: string): readonly FieldError[] {
  const clash = dynamicRanges(tx).find(({ first, last }) => nodePort >= first && nodePort <= last);
  if (!clash) return [];
  const why = `provided port is one that node ${clash.node} gives to host ports of its pods (${clash.first}-${clash.last}): choose one outside, such as 30080`;
  return [invalidValue(field, nodePort, why)];
}

function takenBy(tx: Tx, { metadata }: Service, id: string): string | undefined {
  const other = tx
    .by(services, "nodePort", id)
    .find((found) => found.metadata.name !== metadata.name || found.metadata.namespace !== metadata.namespace);
  if (other) return `Service ${other.metadata.namespace}/${other.metadata.name}`;
  const [pod] = tx.by(pods, "servicePort", id);
  return pod && `${dialectOf(pod)} ${pod.metadata.annotations?.[ANNOTATION.workload] ?? pod.metadata.name}`;
}

function dialectOf({ metadata }: Pod): string {
  return metadata.annotations?.[ANNOTATION.dialect] === "marathon" ? "Marathon app" : "Pod";
}

function portId({ protocol = "TCP" }: ServicePort, nodePort: number): string {
  return `${protocol}/${nodePort}`;
}
