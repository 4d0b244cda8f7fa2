/** Who is meant by FROM and TO of `styr network trace`. */
import { parseAddress } from "../lib/subnet.ts";
import { ApiError } from "../model/errors.ts";
import type { Protocol } from "../model/network.ts";
import type { TraceEnd, TraceTarget } from "../model/network-questions.ts";
import { nodes } from "../model/node.ts";
import { isTerminal, type Pod, pods } from "../model/pod.ts";
import { services } from "../model/service.ts";
import type { WorkloadPod } from "../model/workload.ts";
import type { StyrApiContext } from "./context.ts";
import { type Found, findWorkload } from "./find.ts";
import { namespaceOfKey, type Part, sees } from "./own-part.ts";
import { addressOf } from "./pod-urls.ts";

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
  const placed = copies.filter((copy) => copy.node !== undefined);
  const copy = placed.find(({ ready }) => ready) ?? placed[0];
  const pod = copy && context.store.get(pods, copy.key);
  if (copy?.node === undefined || pod === undefined)
    throw new ApiError("Conflict", `no copy of ${workload.name} is on any node: nothing could be sent from there`, {
      name,
    });
  const others = copies.length > 1 ? `, one of ${copies.length} copies of ${workload.name}` : "";
  return { end: endOf(copy, pod), words: `${copy.key} on ${copy.node}${others}` };
}

function endOf({ key, uid, node = "" }: WorkloadPod, pod: Pod): TraceEnd {
  const address = pod.status.podIP ?? pod.status.hostIP;
  // A pod with its host's own address sends as the host does.
  const isPod = pod.status.podIP !== undefined && pod.status.podIP !== pod.status.hostIP;
  return { node, ...(address === undefined ? {} : { address }), ...(isPod ? { pod: key, uid } : {}) };
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
  const [, name = text, digits] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) throw new ApiError("BadRequest", `${digits} is no port`);
  const at = { protocol, ...(port === undefined ? {} : { port }) };
  if (NOWHERE.test(name)) throw new ApiError("BadRequest", `${name} is no address that leads from one host to another`);
  if (parseAddress(name) !== undefined) return { targets: [{ ...at, address: name }], words: text };
  const service = serviceNamed(context, name, namespace, part);
  if (service !== undefined) {
    const only = port ?? service.port;
    const named = { protocol, name: service.dnsName, ...(only === undefined ? {} : { port: only }) };
    return { targets: [named], words: `Service ${service.key}${only === undefined ? "" : `:${only}`}` };
  }
  const node = nodeNamed(context, name);
  if (node?.address !== undefined) return { targets: [{ ...at, address: node.address }], words: `node ${node.name}` };
  const found = await workloadNamed(context, name, part);
  return found ? copiesOf(context, found, at) : { targets: [{ ...at, name }], words: `the name ${text}` };
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
  const ports = service.spec.ports ?? [];
  return { key, dnsName: `${name}.${namespace}`, port: ports.length === 1 ? ports[0]?.port : undefined };
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

function copiesOf({ store }: StyrApiContext, { workload, pods: copies }: Found, at: TraceTarget): Targets {
  const there = copies.flatMap(({ key }) => store.get(pods, key) ?? []);
  const reachable = there.filter((pod) => !isTerminal(pod) && (pod.status.podIP ?? pod.status.hostIP) !== undefined);
  if (reachable.length === 0)
    throw new ApiError("Conflict", `no copy of ${workload.name} has an address: styr why ${workload.name}`, {
      name: workload.name,
    });
  const targets = reachable.slice(0, MOST_COPIES).map((pod): TraceTarget => {
    const address = pod.status.podIP ?? pod.status.hostIP ?? "";
    const port = at.port ?? firstPort(pod, address === pod.status.hostIP);
    return { protocol: at.protocol, address, ...(port === undefined ? {} : { port }) };
  });
  const copied = copies.length > 1 ? ` (${Math.min(reachable.length, MOST_COPIES)} of ${copies.length} copies)` : "";
  const [first] = targets;
  return { targets, words: `${workload.name}${first?.port === undefined ? "" : `:${first.port}`}${copied}` };
}

function firstPort({ spec }: Pod, isOnHost: boolean): number | undefined {
  const ports = spec.containers.flatMap((container) => container.ports ?? []);
  const [first] = ports.filter(({ protocol = "TCP" }) => protocol === "TCP");
  return isOnHost ? (first?.hostPort ?? first?.containerPort) : first?.containerPort;
}
