import type { EndpointsEntry, Protocol, ServiceEntry } from "../../model/network.ts";
import type { TraceEnd, TraceHop, TraceTarget, TraceWay } from "../../model/network-questions.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { placeOf } from "../services/base-plan.ts";
import { type PortPlan, planService, type Target } from "../services/plan-service.ts";
import { isOlder } from "../services/port-claims.ts";
import type { HostView } from "./host-view.ts";
import { rangeHop } from "./range-hop.ts";
import { directSource, servedSource } from "./trace-source.ts";

export interface Served {
  /** Absent: another node says it. */
  readonly hop?: TraceHop;
  readonly ways: readonly TraceWay[];
  /** It is another network's here: straight to the address. */
  readonly isOthers?: true;
}

interface Match {
  readonly service: ServiceEntry;
  readonly isNodePort: boolean;
  /** Of another node, whose rules lead on from there. */
  readonly node?: string;
}

/** So many endpoints are followed; the others are counted. */
const MOST_WAYS = 3;

/** Undefined: the address is no service's. */
export async function serviceHop(
  state: NetworkState,
  view: HostView,
  address: string,
  { port, protocol }: TraceTarget,
  from: TraceEnd,
): Promise<Served | undefined> {
  const match = matchOf(state, address, port, protocol);
  const ranged = match?.isNodePort === true ? undefined : await rangeHop(state, view, address, match?.service);
  if (ranged !== undefined) return { hop: ranged, ways: [], ...(ranged.isOk === true ? { isOthers: true } : {}) };
  if (match === undefined) return undefined;
  const { service, isNodePort, node } = match;
  if (node !== undefined && port !== undefined) {
    const source = await directSource(state, view, from, address);
    const way: TraceWay = { address, port, node, isNodePort: true };
    return { ways: [source === undefined ? way : { ...way, source }] };
  }
  const { namespace } = service;
  const hop = { at: state.nodeName, what: "service", ...(namespace === undefined ? {} : { namespace }) };
  const slices = state.endpointsOf(service.id);
  const plans = planService(service, slices, placeOf(state)).ports.filter((plan) => plan.protocol === protocol);
  const plan = port === undefined ? plans[0] : plans.find((one) => (isNodePort ? one.nodePort : one.port) === port);
  if (plan === undefined) {
    const there = service.ports.map((one) => `${one.port}/${one.protocol}`).join(", ");
    const words = `Service ${service.id} (${address}) has no port ${port ?? ""}/${protocol}: it has ${there || "none"}`;
    return { hop: { ...hop, isOk: false, words, advice: "ask for one of these ports" }, ways: [] };
  }
  // What this node's own pods and the node itself send is not from outside.
  const isOutside = isNodePort && !(plan.isOutsideLocal && from.node === state.nodeName);
  const targets = isOutside ? plan.outside : plan.inside;
  const out = othersOf(slices, targets);
  if (targets.length === 0) {
    const words = `Service ${service.id} has no endpoint that takes connections: it refuses at once${out}`;
    return {
      hop: { ...hop, isOk: false, words, advice: `styr why on its pods; does its selector mean them?` },
      ways: [],
    };
  }
  const differs = await kernelDiffers(view, address, plan, isNodePort);
  const said = targets.slice(0, MOST_WAYS).map((target) => `${target.address}:${target.port}`);
  const more = targets.length > MOST_WAYS ? ` and ${targets.length - MOST_WAYS} more` : "";
  const words = `Service ${service.id} sends it to ${targets.length === 1 ? "" : `one of ${targets.length}: `}${said.join(", ")}${more}${out}`;
  const ways = targets.slice(0, MOST_WAYS).map((target): TraceWay => {
    const source = servedSource(state, from, { target: target.address, isNodePort });
    return { ...wayOf(slices, target), ...(source === undefined ? {} : { source }) };
  });
  if (differs === undefined) return { hop: { ...hop, isOk: true, words }, ways };
  return { hop: { ...hop, isOk: false, words: `${words}; but ${differs}`, advice: "styr network status" }, ways };
}

function matchOf(
  { tables, nodeName }: NetworkState,
  address: string,
  port: number | undefined,
  protocol: Protocol,
): Match | undefined {
  const services = [...tables.service.values()];
  const inside = services.find(({ addresses }) => addresses.includes(address));
  if (inside) return { service: inside, isNodePort: false };
  const owner = [...tables.node.values()].find((node) => node.address === address);
  if (owner === undefined || port === undefined) return undefined;
  const wanting = services.filter(({ ports }) =>
    ports.some((one) => one.nodePort === port && one.protocol === protocol),
  );
  // Of several the oldest has it.
  const [outside] = wanting.toSorted((a, b) => (isOlder(a, b) ? -1 : 1));
  const elsewhere = owner.id === nodeName ? {} : { node: owner.id };
  return outside ? { service: outside, isNodePort: true, ...elsewhere } : undefined;
}

function wayOf(slices: readonly EndpointsEntry[], { address, port }: Target): TraceWay {
  const endpoint = slices.flatMap(({ endpoints }) => endpoints).find((one) => one.address === address);
  const { node, pod, uid } = endpoint ?? {};
  return {
    ...{ address, port },
    ...(node === undefined ? {} : { node }),
    ...(pod === undefined ? {} : { pod }),
    ...(uid === undefined ? {} : { uid }),
  };
}

/** `; not to web-4 (waiting)`. */
function othersOf(slices: readonly EndpointsEntry[], targets: readonly Target[]): string {
  const taken = new Set(targets.map(({ address }) => address));
  const others = slices.flatMap(({ endpoints }) => endpoints).filter(({ address }) => !taken.has(address));
  if (others.length === 0) return "";
  const said = others.slice(0, 4).map(({ pod, address, state }) => `${pod ?? address} (${STATE[state]})`);
  return `; not to ${said.join(", ")}${others.length > 4 ? ` and ${others.length - 4} more` : ""}`;
}

const STATE = {
  ready: "ready, but others are nearer or its node is lost",
  draining: "on its way out",
  waiting: "not ready",
};

/** The kernel's own chain of this port, compared with what it is to have. */
async function kernelDiffers(
  view: HostView,
  address: string,
  plan: PortPlan,
  isNodePort: boolean,
): Promise<string | undefined> {
  if (isNodePort) {
    const line = await view.element("svc-node-ports", `${plan.protocol} . ${plan.nodePort}`);
    return line === "absent" ? "this node keeps that port for itself: the kernel leads it nowhere" : undefined;
  }
  const line = await view.element("svc-addresses", `${address} . ${plan.protocol} . ${plan.port}`);
  if (line === undefined) return undefined;
  if (line === "absent") return "the kernel of this node does not have this service";
  const chain = /goto (svc-[\w-]+)/.exec(line)?.[1];
  const text = chain === undefined ? undefined : await view.chain(chain);
  const there = new Set(text?.match(/\b\d+\.\d+\.\d+\.\d+\b/g) ?? []);
  // One that remembers clients keeps its endpoints in chains of their own.
  if (there.size === 0) return undefined;
  const missing = plan.inside.filter((target) => !there.has(target.address));
  return missing.length === 0
    ? undefined
    : `the kernel of this node does not have ${missing.map((one) => one.address).join(", ")}`;
}
