/** Node ports of Services: the same port at every node, never one that a node gives to its own pods' host ports. */
import { dialectOf } from "../../model/dialect.ts";
import { type Publisher, SERVICE_PORT_INDEX } from "../../model/discovery.ts";
import type { FieldError } from "../../model/errors.ts";
import { nodes } from "../../model/node.ts";
import { pods } from "../../model/pod.ts";
import { type Service, type ServicePort, services } from "../../model/service.ts";
import { ANNOTATION } from "../../model/well-known.ts";
import type { Tx } from "../../store/transaction.ts";
import { isReachedFromOutside } from "./default-service.ts";
import { hashOf } from "./stable-hash.ts";
import { invalidValue } from "./validate/field-errors.ts";

/** Kubernetes' default range, its lowest 86 left, as long as there are others, to those who choose. */
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
export function allocateNodePorts(tx: Tx, service: Service, publishers: readonly Publisher[], before?: Service): Ports {
  const { ports } = service.spec;
  if (!ports || !isReachedFromOutside(service.spec.type)) return { ports, errors: [] };
  const allocates = service.spec.allocateLoadBalancerNodePorts !== false;
  const there = new TakenPorts(tx, service, publishers);
  const errors: FieldError[] = [];
  const kept = new Set(before?.spec.ports?.map(portId));
  // Those that were chosen before those that are given: none may be given that is chosen.
  for (const port of ports) if (port.nodePort) there.take(port, port.nodePort);
  const given = ports.map((port, at): ServicePort => {
    const field = `spec.ports[${at}].nodePort`;
    if (port.nodePort) {
      errors.push(...checkNodePort(there, port.nodePort, portId(port), kept.has(portId(port)), field));
      return port;
    }
    const nodePort = allocates ? there.give(port) : undefined;
    if (allocates && nodePort === undefined) errors.push(invalidValue(field, 0, FULL));
    return nodePort === undefined ? port : { ...port, nodePort };
  });
  return { ports: given, errors };
}

const FULL = `failed to allocate a nodePort: range is full: ${FIRST}-${LAST} without ${USUAL_DYNAMIC.first}-${USUAL_DYNAMIC.last}`;

interface DynamicRange {
  readonly first: number;
  readonly last: number;
  /** The first by name of those that give it. */
  readonly node: string;
}

/** What is taken in one transaction: looked up once, however many ports a Service has. */
class TakenPorts {
  readonly #tx: Tx;
  readonly #service: Service;
  /** Other dialects, which have such ports too. */
  readonly #publishers: readonly Publisher[];
  /** By protocol, in order. */
  readonly #free = new Map<string, Set<number>>();
  readonly #own = new Set<string>();
  #dynamic: readonly DynamicRange[] | undefined;

  constructor(tx: Tx, service: Service, publishers: readonly Publisher[]) {
    this.#tx = tx;
    this.#service = service;
    this.#publishers = publishers;
  }

  get dynamic(): readonly DynamicRange[] {
    this.#dynamic ??= dynamicRanges(this.#tx);
    return this.#dynamic;
  }

  take({ protocol = "TCP" }: ServicePort, nodePort: number): void {
    this.#own.add(`${protocol}/${nodePort}`);
  }

  /** From a place that the Service's name decides, so that a replay gives the same ports. */
  give({ protocol = "TCP", port }: ServicePort): number | undefined {
    const { namespace, name } = this.#service.metadata;
    const free = this.#freeOf(protocol);
    const start = hashOf(`${namespace}/${name}/${protocol}/${port}`);
    const found = nextIn(free, FIRST + RESERVED, LAST, start) ?? nextIn(free, FIRST, FIRST + RESERVED - 1, start);
    if (found !== undefined) free.delete(found);
    return found;
  }

  /** Who has it, in words. */
  holderOf(id: string): string | undefined {
    const { name, namespace } = this.#service.metadata;
    const other = this.#tx
      .by(services, "nodePort", id)
      .find(({ metadata }) => metadata.name !== name || metadata.namespace !== namespace);
    if (other) return `Service ${other.metadata.namespace}/${other.metadata.name}`;
    const published = this.#publisherOf(id);
    if (published) return published;
    const [pod] = this.#tx.by(pods, "servicePort", id);
    return pod && `${wordFor(dialectOf(pod))} ${pod.metadata.annotations?.[ANNOTATION.workload] ?? pod.metadata.name}`;
  }

  /** Whether anything of it runs or not. */
  #publisherOf(id: string): string | undefined {
    for (const publisher of this.#publishers) {
      const [object] = this.#tx.by(publisher.kind, SERVICE_PORT_INDEX, id);
      const [service] = object === undefined ? [] : publisher.tell(object).services;
      if (service) return `${wordFor(service.id.slice(0, service.id.indexOf(":")))} ${service.name}`;
    }
    return undefined;
  }

  #freeOf(protocol: string): Set<number> {
    const known = this.#free.get(protocol);
    if (known) return known;
    const free = new Set<number>();
    for (let port = FIRST; port <= LAST; port++) if (this.#isFree(port, `${protocol}/${port}`)) free.add(port);
    this.#free.set(protocol, free);
    return free;
  }

  #isFree(port: number, id: string): boolean {
    const isDynamic = [USUAL_DYNAMIC, ...this.dynamic].some(({ first, last }) => port >= first && port <= last);
    const isTaken = () =>
      this.#tx.by(services, "nodePort", id).length + this.#tx.by(pods, "servicePort", id).length > 0 ||
      this.#publishers.some(({ kind }) => this.#tx.by(kind, SERVICE_PORT_INDEX, id).length > 0);
    return !isDynamic && !this.#own.has(id) && !isTaken();
  }
}

function nextIn(free: ReadonlySet<number>, first: number, last: number, start: number): number | undefined {
  if (free.size === 0) return undefined;
  const usable = last - first + 1;
  for (let step = 0; step < usable; step++) {
    const candidate = first + ((start + step) % usable);
    if (free.has(candidate)) return candidate;
  }
  return undefined;
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
  there: TakenPorts,
  nodePort: number,
  id: string,
  isKept: boolean,
  field: string,
): readonly FieldError[] {
  const wrong = (why: string) => [invalidValue(field, nodePort, why)];
  if (nodePort < FIRST || nodePort > LAST)
    return wrong(`provided port is not in the valid range. The range of valid ports is ${FIRST}-${LAST}`);
  const holder = there.holderOf(id);
  if (holder) return wrong(`provided port is already allocated: ${holder} has it`);
  const clash = isKept ? undefined : there.dynamic.find(({ first, last }) => nodePort >= first && nodePort <= last);
  if (!clash) return [];
  // A node may give it to a pod at any time, or has done so: the Service would take that pod's traffic.
  const { node, first, last } = clash;
  return wrong(
    `provided port is one that node ${node} gives to host ports of its pods (${first}-${last}): choose one outside, such as 30080`,
  );
}

function wordFor(dialect: string): string {
  return dialect === "marathon" ? "Marathon app" : "Pod";
}

function portId({ protocol = "TCP", nodePort = 0 }: ServicePort): string {
  return `${protocol}/${nodePort}`;
}
