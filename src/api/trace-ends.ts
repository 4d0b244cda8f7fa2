/** Who is meant by FROM and TO of `styr network trace`. */
import { parseAddress } from "../lib/subnet.ts";
import { ApiError } from "../model/errors.ts";
import type { Protocol } from "../model/network.ts";
import type { NameAsker, TraceEnd, TraceTarget } from "../model/network-questions.ts";
import { nodes } from "../model/node.ts";
import { type ChildContainer, isTerminal, type Pod, pods } from "../model/pod.ts";
import { isOnItsNetworkOnly } from "../model/pod-network-need.ts";
import { services } from "../model/service.ts";
import { ANNOTATION } from "../model/well-known.ts";
import type { WorkloadPod } from "../model/workload.ts";
import type { StyrApiContext } from "./context.ts";
import { type Found, findWorkload } from "./find.ts";
import { namespaceOfKey, type Part, sees } from "./own-part.ts";
import { addressOf } from "./pod-urls.ts";
import { withoutUrl } from "./trace-hints.ts";

/** Of a workload with many copies so many are followed. */
const MOST_COPIES = 3;

export interface NamedEnd {
  readonly end: TraceEnd;
  readonly words: string;
}

/** Refuses when nothing of that name runs anywhere. */
export async function fromEnd(context: StyrApiContext, name: string, part: Part): Promise<NamedEnd> {
  const node = nodeNamed(context, name);
  if (node !== undefined) {
    if (part !== undefined)
      throw new ApiError(
        "Forbidden",
        "a connection from a node concerns the whole cluster: it needs the role viewer there",
      );
    return {
      end: { node: node.name, ...(node.address === undefined ? {} : { address: node.address }) },
      words: `node ${node.name}`,
    };
  }
  const { pods: copies, workload } = await findWorkload(context, name, part);
  // What has ended sends nothing any more, and its address may be another's.
  const placed = copies.filter(({ node, key }) => node !== undefined && !hasEnded(context, key));
  const copy = placed.find(({ ready }) => ready) ?? placed[0];
  const pod = copy && context.store.get(pods, copy.key);
  if (copy?.node === undefined || pod === undefined)
    throw new ApiError("Conflict", `no copy of ${workload.name} runs on any node: nothing could be sent from there`, {
      name,
    });
  const others = copies.length > 1 ? `, one of ${copies.length} copies of ${workload.name}` : "";
  return { end: endOf(copy, pod), words: `${copy.key} on ${copy.node}${others}` };
}

function hasEnded({ store }: StyrApiContext, key: string): boolean {
  const pod = store.get(pods, key);
  return pod !== undefined && isTerminal(pod);
}

function endOf({ key, uid, node = "" }: WorkloadPod, pod: Pod): TraceEnd {
  const address = reachedAt(pod);
  // A pod with its host's own address sends as the host does.
  const isPod = ownAddress(pod.status) !== undefined;
  return {
    node,
    ...(address === undefined ? {} : { address }),
    ...(isPod ? { pod: key, uid } : {}),
    asker: askerOf(pod),
  };
}

function askerOf({ metadata, spec }: Pod): NameAsker {
  const { namespace, annotations } = metadata;
  const dialect = annotations?.[ANNOTATION.dialect];
  const { dnsPolicy, dnsConfig, hostNetwork, subdomain } = spec;
  return {
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      ...(dialect === undefined ? {} : { annotations: { [ANNOTATION.dialect]: dialect } }),
    },
    spec: {
      ...(dnsPolicy === undefined ? {} : { dnsPolicy }),
      ...(dnsConfig === undefined ? {} : { dnsConfig }),
      ...(hostNetwork === undefined ? {} : { hostNetwork }),
      ...(subdomain === undefined ? {} : { subdomain }),
    },
  };
}

/** Its own address; of a unit that of the container that it runs, as names have it; else its host's. */
function reachedAt({ status }: Pod): string | undefined {
  return ownAddress(status) ?? containerOf(status)?.address ?? status.hostIP;
}

function ownAddress({ podIP, hostIP }: Pod["status"]): string | undefined {
  return podIP === hostIP ? undefined : podIP;
}

function containerOf({ containerStatuses = [] }: Pod["status"]): ChildContainer | undefined {
  const children = containerStatuses.flatMap((container) => container.children ?? []);
  return children.find(({ address, state }) => address !== undefined && state === "running");
}

function nodeNamed({ store }: StyrApiContext, text: string) {
  const name = text.startsWith("node/") ? text.slice("node/".length) : text;
  const node = store.get(nodes, name);
  return node && { name, address: addressOf(node) };
}

export interface Targets {
  readonly targets: readonly TraceTarget[];
  readonly words: string;
}

export async function toTargets(
  context: StyrApiContext,
  text: string,
  { protocol, namespace, part }: { readonly protocol: Protocol; readonly namespace: string; readonly part: Part },
): Promise<Targets> {
  const { name, port: said } = partsOf(withoutUrl(context, text, FORMS));
  if (NOWHERE.test(name)) throw new ApiError("BadRequest", `${name} is no address that leads from one host to another`);
  const service = parseAddress(name) === undefined ? serviceNamed(context, name, namespace, part) : undefined;
  if (service !== undefined) {
    const only = portOfService(service, said);
    const bySrv = service.isHeadless && typeof said === "string" ? { service: service.key, port: said } : undefined;
    const named = {
      ...{ protocol, name: service.dnsName, isService: true as const },
      ...(only === undefined ? {} : { port: only }),
      ...(bySrv === undefined ? {} : { portName: bySrv }),
    };
    return { targets: [named], words: `Service ${service.key}${only === undefined ? "" : `:${only}`}` };
  }
  const node = nodeNamed(context, name);
  const isWorkload = parseAddress(name) === undefined && node?.address === undefined;
  const found = isWorkload ? await workloadNamed(context, name, part) : undefined;
  if (found) return copiesOf(context, found, protocol, said);
  if (typeof said === "string")
    throw new ApiError("BadRequest", `"${said}" is no port: only Services and pods have names for theirs. ${FORMS}`);
  const at = { protocol, ...(said === undefined ? {} : { port: said }) };
  if (parseAddress(name) !== undefined) return { targets: [{ ...at, address: name }], words: text };
  if (node?.address !== undefined) return { targets: [{ ...at, address: node.address }], words: `node ${node.name}` };
  if (!NAME.test(name) || name.length > LONGEST_NAME)
    throw new ApiError(
      "BadRequest",
      `${JSON.stringify(text.slice(0, 80))} is nothing that could be looked up. ${FORMS}`,
    );
  return { targets: [{ ...at, name }], words: `the name ${text}` };
}

const FORMS =
  "TO is a workload, one copy of it, a node, service/NAME, a name as pods ask for it, or an IPv4 address; with :PORT behind it where it has more than one";
/** Also fleet's, whose units may have an @. SRV names begin with _: they say a port, and lead nowhere themselves. */
const NAME = /^[a-z0-9][\w@-]*(?:\.[a-z0-9][\w@-]*)*\.?$/i;
const LONGEST_NAME = 253;

/** `web`, `web:8080`, `web:http`. */
function partsOf(text: string): { readonly name: string; readonly port?: number | string } {
  const [, name = "", port] = /^([^:]+)(?::([a-z0-9-]{1,15}))?$/i.exec(text) ?? [];
  if (name === "") throw new ApiError("BadRequest", `${JSON.stringify(text.slice(0, 80))} is no TO. ${FORMS}`);
  if (port === undefined || !/^\d+$/.test(port)) return { name, ...(port === undefined ? {} : { port }) };
  const number = Number(port);
  if (number < 1 || number > 65_535) throw new ApiError("BadRequest", `${port} is no port`);
  return { name, port: number };
}

/** This network, loopback, link-local (where clouds keep what only the host itself is to be told), and groups. */
const NOWHERE = /^(?:0|127|169\.254|22[4-9]|2[3-5]\d)\.[\d.]+$/;

/** `web` in the namespace of whoever asks, `service/web`, `shop/web`, `service/shop/web`. */
function serviceNamed({ store }: StyrApiContext, text: string, near: string, part: Part) {
  const [, prefix, rest = ""] = /^(service\/|svc\/)?(.+)$/.exec(text) ?? [];
  const key = rest.includes("/") ? rest : `${near}/${rest}`;
  const service = sees(part, namespaceOfKey(key)) ? store.get(services, key) : undefined;
  if (service === undefined) {
    if (prefix === undefined) return undefined;
    throw new ApiError("NotFound", `there is no Service ${key}`, { name: text });
  }
  const [namespace = "", name = ""] = key.split("/");
  const { ports = [], clusterIP } = service.spec;
  return { key, dnsName: `${name}.${namespace}`, ports, isHeadless: clusterIP === "None" };
}

function portOfService(
  {
    key,
    ports,
  }: { readonly key: string; readonly ports: readonly { readonly name?: string; readonly port: number }[] },
  said: number | string | undefined,
): number | undefined {
  if (typeof said === "number") return said;
  if (said === undefined) return ports.length === 1 ? ports[0]?.port : undefined;
  const found = ports.find(({ name }) => name === said);
  if (found) return found.port;
  const there = ports.map(({ name, port }) => (name === undefined ? String(port) : `${name} (${port})`)).join(", ");
  throw new ApiError("BadRequest", `Service ${key} has no port "${said}": it has ${there || "none"}`);
}

/** Undefined: nothing is named so, and it may be a name of the network. */
async function workloadNamed(context: StyrApiContext, name: string, part: Part): Promise<Found | undefined> {
  try {
    return await findWorkload(context, name, part);
  } catch (error) {
    if (error instanceof ApiError && error.reason === "NotFound") return undefined;
    throw error;
  }
}

function copiesOf(
  { store }: StyrApiContext,
  { workload, pods: copies }: Found,
  protocol: Protocol,
  said: number | string | undefined,
): Targets {
  const there = copies.flatMap(({ key }) => store.get(pods, key) ?? []);
  const addressed = there.filter((pod) => !isTerminal(pod) && reachedAt(pod) !== undefined);
  const reachable = addressed.filter((pod) => !isOnItsNetworkOnly(pod));
  const [hidden] = addressed;
  if (reachable.length === 0 && hidden !== undefined)
    throw new ApiError("Conflict", `${workload.name} is ${onItsNetworkOnly(hidden)}`, { name: workload.name });
  if (reachable.length === 0)
    throw new ApiError("Conflict", `no copy of ${workload.name} has an address: styr why ${workload.name}`, {
      name: workload.name,
    });
  const targets = reachable.slice(0, MOST_COPIES).map((pod): TraceTarget => {
    const port = typeof said === "number" ? said : portOf(pod, said);
    if (typeof said === "string" && port === undefined)
      throw new ApiError("BadRequest", `no port of ${workload.name} is named "${said}"`);
    return { protocol, address: reachedAt(pod) ?? "", ...(port === undefined ? {} : { port }) };
  });
  const copied = copies.length > 1 ? ` (${Math.min(reachable.length, MOST_COPIES)} of ${copies.length} copies)` : "";
  const [first] = targets;
  return { targets, words: `${workload.name}${first?.port === undefined ? "" : `:${first.port}`}${copied}` };
}

function onItsNetworkOnly({ status }: Pod): string {
  return (
    `at ${status.networkAddress} of a Docker network of its own, and its host publishes no port of it: nobody else gets there. ` +
    'Give a port mapping a hostPort (0: any), or name the network "styrmann"'
  );
}

/** Its first port, or the one of that name; at the address where it is reached. */
function portOf({ spec, status }: Pod, name: string | undefined): number | undefined {
  const all = spec.containers.flatMap((container) => container.ports ?? []);
  const first = all.find((port) => (name === undefined ? (port.protocol ?? "TCP") === "TCP" : port.name === name));
  const isOnHost = ownAddress(status) === undefined;
  const container = isOnHost ? containerOf(status) : undefined;
  if (container !== undefined) return name === undefined ? container.ports?.[0]?.containerPort : undefined;
  return isOnHost ? (first?.hostPort ?? first?.containerPort) : first?.containerPort;
}
