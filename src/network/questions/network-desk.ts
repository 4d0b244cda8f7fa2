/** Answers what the control plane asks of this host's network: from what the node was told, and from what the host itself says. */
import { parseAddress } from "../../lib/subnet.ts";
import { ApiError } from "../../model/errors.ts";
import type {
  ArriveAnswer,
  LeaveAnswer,
  NetworkAnswer,
  NetworkQuestion,
  NetworkStatusAnswer,
  TraceEnd,
  TraceHop,
  TraceTarget,
  TraceWay,
} from "../../model/network-questions.ts";
import type { PeerLink } from "../../model/network-report.ts";
import { briefly } from "../../model/peer-summary.ts";
import type { ResolvConf } from "../names/resolv-conf.ts";
import type { PartReport } from "../plane/network-part.ts";
import type { LocalPod, NetworkState } from "../plane/network-state.ts";
import type { Named } from "./asked-names.ts";
import { firewallHop } from "./firewall-hop.ts";
import type { HostView } from "./host-view.ts";
import { nameHop } from "./name-hop.ts";
import { policyHop } from "./policy-hop.ts";
import { roomHop } from "./room-hop.ts";
import { nodeOf, routeHop } from "./route-hop.ts";
import { serviceHop } from "./service-hop.ts";
import { sizeHop } from "./size-hop.ts";
import { SizeLook } from "./size-look.ts";
import { directSource, isPodHere } from "./trace-source.ts";

/** As much of a NetworkPlane as is looked at. */
export interface PlaneView {
  readonly state: NetworkState;
  readonly report: {
    readonly revision: number;
    readonly appliedRevision: number;
    readonly parts: readonly (PartReport & { readonly name: string })[];
  };
  /** Has the host looked at before it is reported. */
  lookNow?(): Promise<void>;
}

/** Loopback, link-local (where clouds keep what only the host itself is to be told), groups: a name may lead there, a trace does not. */
const NOWHERE = /^(?:0|127|169\.254|22[4-9]|2[3-5]\d)\./;
/** A frame of the agent's link has room for so many; those that are not reached come first. */
const MOST_PEERS = 1_000;
const NO_RESOLVERS: ResolvConf = { nameservers: [], searches: [], options: [] };

export class NetworkDesk {
  readonly #plane: PlaneView;
  readonly #view: HostView;
  readonly #resolvers: () => ResolvConf;
  readonly #sizes: SizeLook;

  /** `resolvers`: what the host itself asks for names. */
  constructor(plane: PlaneView, view: HostView, resolvers: () => ResolvConf = () => NO_RESOLVERS) {
    this.#plane = plane;
    this.#view = view;
    this.#resolvers = resolvers;
    this.#sizes = new SizeLook(view);
  }

  async answer(question: NetworkQuestion): Promise<NetworkAnswer> {
    if (question.ask === "status") {
      await this.#plane.lookNow?.();
      return this.#status(question.isBrief === true, await this.#sizes.look(this.#plane.state, this.#peers));
    }
    const { from, to } = question;
    // They become words of nft and ip.
    for (const address of [from.address, to.address])
      if (address !== undefined && parseAddress(address) === undefined)
        throw new ApiError("BadRequest", `${JSON.stringify(address)} is no IPv4 address`);
    if (to.name !== undefined && !/^[\w.@-]{1,253}$/.test(to.name))
      throw new ApiError("BadRequest", `${JSON.stringify(to.name.slice(0, 80))} is no name that could be looked up`);
    return question.ask === "leave" ? await this.#leave(from, to) : await this.#arrive(from, to);
  }

  #status(isBrief: boolean, all: readonly PeerLink[]): NetworkStatusAnswer {
    const { state, report } = this.#plane;
    const { revision, appliedRevision, parts } = report;
    const podRange = state.self?.podRange;
    return {
      ...(podRange === undefined ? {} : { podRange }),
      ...{ revision, appliedRevision },
      parts: parts.map(({ name, state: now, words, facts, hostTroubles, lateHosts, routeTroubles }) => ({
        ...{ name, state: now },
        ...(words === undefined ? {} : { words }),
        ...(facts === undefined ? {} : { facts }),
        ...(hostTroubles === undefined ? {} : { hostTroubles }),
        ...(lateHosts === undefined ? {} : { lateHosts }),
        ...(routeTroubles === undefined ? {} : { routeTroubles }),
      })),
      ...(isBrief ? briefly(all) : { peers: foremost(all) }),
    };
  }

  get #room(): TraceHop | undefined {
    const { state, report } = this.#plane;
    return roomHop(state.nodeName, report.parts);
  }

  get #peers(): readonly PeerLink[] {
    return this.#plane.report.parts.flatMap(({ peers }) => peers ?? []);
  }

  async #leave(from: TraceEnd, to: TraceTarget): Promise<LeaveAnswer> {
    const { state } = this.#plane;
    const hops: TraceHop[] = [];
    const named = to.name === undefined ? undefined : await this.#named(to.name, from, to.isService === true);
    if (named) hops.push(named.hop);
    const addresses = named?.addresses ?? (to.address === undefined ? [] : [to.address]);
    const ways: TraceWay[] = [];
    for (const address of addresses.slice(0, 3)) {
      const served = await serviceHop(state, this.#view, address, to, from);
      if (served?.hop) hops.push(served.hop);
      ways.push(...(served && !served.isOthers ? served.ways : [await this.#direct(address, to, from)]));
    }
    return {
      hops,
      ways: await Promise.all(ways.map(async (way) => ({ to: way, hops: await this.#out(from, way, to) }))),
    };
  }

  #named(name: string, { asker, pod }: TraceEnd, isService: boolean): Promise<Named> {
    const namespace = pod?.split("/")[0];
    // A server of before says no more of it than its namespace.
    const other = namespace === undefined ? {} : { asker: { metadata: { namespace }, spec: {} } };
    const by = asker === undefined ? other : { asker };
    return nameHop(this.#plane.state, this.#view, name, { ...by, isService, host: this.#resolvers() });
  }

  async #direct(address: string, to: TraceTarget, from: TraceEnd): Promise<TraceWay> {
    const { state } = this.#plane;
    const port = portAt(state, address, to);
    const node = nodeOf(state, address)?.id;
    const source = await directSource(state, this.#view, from, address);
    return {
      address,
      ...(port === undefined ? {} : { port }),
      ...(node === undefined ? {} : { node }),
      ...(source === undefined ? {} : { source }),
    };
  }

  async #out(from: TraceEnd, way: TraceWay, { protocol }: TraceTarget): Promise<readonly TraceHop[]> {
    const { state } = this.#plane;
    const pod = this.#localPod(from);
    const port = way.port === undefined ? {} : { port: way.port };
    const packet = { from: from.address ?? "", to: way.address, protocol, ...port };
    const policy = pod && (await policyHop(pod, { state, view: this.#view, direction: "out", packet }));
    const passing = pod && (await firewallHop(state, this.#view, { from, to: way.address, direction: "out" }));
    const route = await routeHop(state, this.#view, way, this.#peers, "route");
    const size = route.isOk === true ? await sizeHop(state, this.#view, way.address, this.#peers) : undefined;
    return [policy, passing, this.#room, route, size].filter((hop) => hop !== undefined);
  }

  async #arrive(from: TraceEnd, to: TraceTarget): Promise<ArriveAnswer> {
    const { state } = this.#plane;
    const { address = "", port, protocol } = to;
    const pod = [...state.localPods.values()].find((one) => one.address === address);
    const packet = { from: from.address ?? "", to: address, protocol, ...(port === undefined ? {} : { port }) };
    const isOwnHost = from.node === state.nodeName && !isPodHere(state, from);
    const policy = pod && !isOwnHost && (await policyHop(pod, { state, view: this.#view, direction: "in", packet }));
    const back =
      from.address === undefined
        ? []
        : [await routeHop(state, this.#view, { address: from.address }, this.#peers, "way back")];
    const passing = await firewallHop(state, this.#view, { from, to: address, direction: "in" });
    const before = [this.#room, passing, policy || undefined].filter((hop) => hop !== undefined);
    return { hops: [...before, await this.#listens(address, to), ...back] };
  }

  /** Asked from this host, which no policy keeps out: what is said is said by the pod itself. */
  async #listens(address: string, { port, protocol }: TraceTarget): Promise<TraceHop> {
    const hop = { at: this.#plane.state.nodeName, what: "listens" };
    if (port === undefined) return { ...hop, words: "no port was named: add :PORT to ask whether anything listens" };
    if (protocol !== "tcp")
      return { ...hop, words: `whether anything listens at ${protocol} ${port} cannot be seen from outside` };
    if (NOWHERE.test(address)) return { ...hop, words: `${address} is of one host only: not tried` };
    const answer = await this.#view.listens(address, port);
    if (answer.isOpen) return { ...hop, isOk: true, words: `${address}:${port} takes connections` };
    const isRefused = /ECONNREFUSED/.test(answer.words);
    const why = isRefused ? "nothing listens there, or at 127.0.0.1 only" : answer.words;
    const isOutside = nodeOf(this.#plane.state, address) === undefined;
    if (isOutside) return { ...hop, isOk: false, words: `${address}:${port} takes no connections: ${answer.words}` };
    const isCut = /EHOSTUNREACH|ENETUNREACH/.test(answer.words);
    const advice = isCut
      ? "the pod's own host has no way to it: does the pod run? styr network status, and on that host: ip addr, docker ps"
      : "does the program listen at 0.0.0.0, and at this port? styr logs, styr exec";
    return { ...hop, isOk: false, words: `${address}:${port} takes no connections: ${why}`, advice };
  }

  /** Of a unit: the container that it is. */
  #localPod({ uid, node, address }: TraceEnd): LocalPod | undefined {
    const { state } = this.#plane;
    if (uid !== undefined) return state.localPods.get(uid);
    if (node !== state.nodeName) return undefined;
    return [...state.localPods.values()].find((one) => one.address === address);
  }
}

function foremost(all: readonly PeerLink[]): readonly PeerLink[] {
  const sorted = all.toSorted((a, b) => Number(a.state === "reachable") - Number(b.state === "reachable"));
  return sorted.slice(0, MOST_PEERS);
}

/** As the name server's SRV says it of that pod. */
function portAt(state: NetworkState, address: string, { port, portName }: TraceTarget): number | undefined {
  if (portName === undefined) return port;
  const slices = state.endpointsOf(portName.service);
  const mine = slices.filter(({ endpoints }) => endpoints.some((endpoint) => endpoint.address === address));
  return mine.flatMap(({ ports }) => ports).find(({ name }) => name === portName.port)?.port ?? port;
}
