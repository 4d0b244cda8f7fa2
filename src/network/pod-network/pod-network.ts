/**
 * The pod network of this host: the way to every other node's pods, and the rules that let them pass. What is made stays in the kernel when the
 * agent ends; at the next start, and now and then, only what differs is written, so that no connection is cut.
 */

import { OneAtATime } from "../../lib/one-at-a-time.ts";
import { gatewayOf } from "../../lib/subnet.ts";
import type { NodeNetworkReport } from "../../model/network-report.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import { CommandError, type Commands } from "../../seams/commands.ts";
import type { Log } from "../../seams/log.ts";
import type { NetworkPart, PartReport } from "../plane/network-part.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { Touched } from "../plane/touched.ts";
import { BridgeGuard, type BridgePorts } from "./bridge-guard.ts";
import { FallBack } from "./fall-back.ts";
import { type ForeignRoute, isRouted } from "./foreign-routes.ts";
import { HostNet, HostNetError } from "./host-net.ts";
import { HostSide } from "./host-side.ts";
import { type NetNames, netNames } from "./names.ts";
import { peerLinks } from "./peer-links.ts";
import { isPlainWorking } from "./plain-way.ts";
import { type HostWay, type Plan, planPeers } from "./plan.ts";
import { Prober } from "./prober.ts";
import { differences } from "./routes.ts";
import type { Dial } from "./tcp-ping.ts";
import { USUAL_VXLAN_PORT } from "./tunnels.ts";

export interface PodNetworkOptions {
  readonly networkName: string;
  readonly hostAddress: string;
  /** Addresses of this node's pods, as Docker's network has them; undefined: not given yet. */
  readonly range: () => string | undefined;
  readonly commands: Commands;
  readonly clock: Clock;
  readonly log: Log;
  /** Where its key is, and what the host's settings were. */
  readonly folder: string;
  readonly dial: Dial;
  /** Servers of the control plane, `host:port`, as this node knows them. */
  readonly servers?: () => readonly string[];
  /** The device behind which its pods are, when Docker does not name it. */
  readonly bridge?: string;
  /** Whose the bridge's ports are; absent: pods are not kept from sending as each other. */
  readonly ports?: BridgePorts;
  readonly lookEveryMs?: number;
}

/** Somebody may have flushed the rules, a link may have been down. */
const LOOK_EVERY_MS = 10_000;
const NO_PLAN: Plan = { peers: [], wayless: [] };

export class PodNetwork implements NetworkPart {
  readonly name = "pod network";
  readonly #options: PodNetworkOptions;
  readonly #names: NetNames;
  readonly #host: HostNet;
  readonly #side: HostSide;
  readonly #bridge: BridgeGuard | undefined;
  readonly #prober: Prober;
  readonly #fallBack = new FallBack();
  #state: NetworkState | undefined;
  #plan = NO_PLAN;
  #ways: ReadonlyMap<string, HostWay> = new Map();
  #foreign: readonly ForeignRoute[] | undefined;
  #written = "";
  #failure: string | undefined;
  #timer: Timer | undefined;
  readonly #turn = new OneAtATime();
  #isStopped = false;

  constructor(options: PodNetworkOptions) {
    const { networkName, commands, clock, dial, range } = options;
    this.#options = options;
    this.#names = { ...netNames(networkName), ...(options.bridge === undefined ? {} : { bridge: options.bridge }) };
    this.#host = new HostNet(commands, this.#names);
    this.#side = new HostSide({ ...options, names: this.#names, host: this.#host });
    if (options.ports !== undefined)
      this.#bridge = new BridgeGuard({ ...options, bridge: this.#names.bridge, ports: options.ports });
    const from = () => {
      const own = range();
      return own === undefined ? undefined : gatewayOf(own);
    };
    this.#prober = new Prober({ clock, dial, from, onRound: () => void this.#judge() });
  }

  async apply(state: NetworkState, touched: Touched): Promise<void> {
    this.#state = state;
    if (!touched.isAll && !touched.isCluster && touched.nodes.size === 0) return;
    await this.#turn.run(() => this.#bring(touched.isAll));
    this.#lookLater();
  }

  /** Its range was given or changed, or Docker was restarted. */
  async lookAgain(): Promise<void> {
    if (this.#state === undefined || this.#isStopped) return;
    const failed = (error: unknown) => this.#options.log.warn("the pod network", { why: String(error) });
    await this.#turn.run(() => this.#bring(true)).catch(failed);
    this.#lookLater();
  }

  /** How long an answer of that node took over the pod network, in milliseconds; undefined: none came until `signal` aborted. */
  async probe(node: string, signal: AbortSignal): Promise<number | undefined> {
    const peer = this.#plan.peers.find((one) => one.node === node);
    return peer && (await this.#prober.ask(peer, signal));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#prober.stop();
    await this.#bridge?.stop();
    await this.#turn.idle();
  }

  async remove(): Promise<void> {
    await this.stop();
    await this.#bridge?.remove();
    await this.#side.remove();
  }

  report(): PartReport {
    const { clamp, sysctls, clash, guard, docker, stopped } = this.#side.words;
    const words = [this.#failure, stopped, docker, ...sysctls, clash, clamp, guard, this.#bridge?.words]
      .filter((text) => text !== undefined)
      .join("; ");
    const range = this.#options.range();
    return {
      state: (this.#failure ?? stopped) !== undefined ? "failing" : range === undefined ? "off" : "working",
      ...(words === "" && range === undefined ? { words: "this node has no pod range yet" } : {}),
      ...(words === "" ? {} : { words }),
      facts: { ...(range === undefined ? {} : { range }), nodes: this.#plan.peers.length, ...this.#side.facts },
      peers: peerLinks(this.#plan, this.#prober, this.#options.clock.monotonic()),
    };
  }

  /** Why others' pods are not all reached, or this node's not. */
  get trouble(): string | undefined {
    const { stopped, clash } = this.#side.words;
    return this.#failure ?? stopped ?? clash;
  }

  /** For the node's own status. */
  get status(): NodeNetworkReport {
    const key = this.#side.wireguardKey;
    return key === undefined ? {} : { wireguardKey: key };
  }

  /** `isLook`: whatever is written may have been changed by others. */
  async #bring(isLook: boolean): Promise<void> {
    const own = this.#options.range();
    const state = this.#state;
    if (own === undefined || state?.cluster === undefined || this.#isStopped) return;
    try {
      await this.#side.learn(state.cluster.mode, this.#options.folder);
      await this.#replan(state, own, isLook);
      const text = JSON.stringify([own, state.cluster, this.#plan]);
      if (isLook || text !== this.#written) await this.#write(own, state);
      this.#written = text;
      this.#failure = undefined;
    } catch (error) {
      this.#written = "";
      this.#failure = error instanceof HostNetError || error instanceof CommandError ? error.message : String(error);
      throw error;
    }
  }

  async #replan(state: NetworkState, own: string, isLook: boolean): Promise<void> {
    const { cluster, tables, nodeName } = state;
    if (cluster === undefined) return;
    const nodes = [...tables.node.values()];
    const addresses = nodes.flatMap(({ id, address }) => (id === nodeName || address === "" ? [] : [address]));
    if (isLook || addresses.some((address) => !this.#ways.has(address))) this.#ways = await this.#host.ways(addresses);
    this.#fallBack.keepOnly(new Set(nodes.map(({ id }) => id)));
    const self = { id: nodeName, podRange: own };
    const servers = (this.#options.servers?.() ?? []).map((server) => server.replace(/:\d+$/, ""));
    const { vxlan, wireguard } = this.#names;
    if (isLook || this.#foreign === undefined) this.#foreign = await this.#host.foreignRoutes(own);
    const found = {
      cluster,
      self,
      nodes,
      ways: this.#ways,
      fallenBack: this.#fallBack.nodes,
      foreign: this.#foreign,
      servers,
    };
    const hasWireguard = this.#side.wireguardKey !== undefined;
    const before = new Map(this.#plan.peers.map(({ node, mode }) => [node, mode]));
    this.#plan = planPeers({ ...found, devices: { vxlan, wireguard }, hasWireguard });
    for (const { node, mode } of this.#plan.peers)
      if (before.has(node) && before.get(node) !== mode) this.#prober.forget(node);
  }

  async #write(own: string, state: NetworkState): Promise<void> {
    const { peers } = this.#plan;
    const port = state.cluster?.vxlanPort ?? USUAL_VXLAN_PORT;
    // First, whatever is refused of the rest: everything hangs on it.
    const mended = await this.#side.gateway(own);
    if (mended !== undefined) this.#options.log.warn(`${mended}; it is made again`);
    await this.#side.rules(own, state, peers, this.#uplinks);
    await this.#bridge?.ensure(own);
    await this.#side.tunnels(own, peers, port);
    const { vxlan, protocol } = this.#names;
    const refused = this.#plan.wayless.flatMap((one) => one.refused ?? []);
    const lines = differences({ own, peers, refused, vxlan, protocol }, await this.#host.present());
    await this.#host.write(lines);
    this.#prober.setPeers(peers);
  }

  /** After a round of probes: ways that lead nowhere are left, and tried again later. */
  async #judge(): Promise<void> {
    const { clock, log } = this.#options;
    const nowMs = clock.monotonic();
    let isChanged = false;
    for (const { node, mode } of this.#plan.peers) {
      const { failures } = this.#prober.seen(node);
      const isSilent = this.#state?.tables.node.get(node)?.isSilent === true;
      if (mode !== "routes" || this.#state?.cluster?.mode === "routes") continue;
      if (!this.#fallBack.failed({ node, failures, isSilent, nowMs })) continue;
      isChanged = true;
      log.warn("its pods are not reached by plain routes, so packets are wrapped", { node });
    }
    for (const node of this.#fallBack.due(nowMs)) if (await this.#tryPlain(node)) isChanged = true;
    if (isChanged) await this.lookAgain();
  }

  /** By a route of the other host's own address alone, so that no pod notices. Whether it works. */
  async #tryPlain(node: string): Promise<boolean> {
    const peer = this.#plan.peers.find((one) => one.node === node);
    const way = peer && this.#ways.get(peer.address);
    const works = peer && way ? await this.#turn.run(() => isPlainWorking(peer, way, this.#plainFacts)) : false;
    this.#fallBack.tried(node, works, this.#options.clock.monotonic());
    return works;
  }

  /** Devices by which hosts are reached, also those outside of the cluster. */
  get #uplinks(): readonly string[] {
    return [...this.#ways.values(), ...(this.#foreign ?? []).filter(isRouted)].map(({ device }) => device);
  }

  get #plainFacts() {
    const { clock, dial, range } = this.#options;
    return { ...{ clock, dial, own: range() }, host: this.#host, protocol: this.#names.protocol };
  }

  #lookLater(): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(this.#options.lookEveryMs ?? LOOK_EVERY_MS, () => void this.lookAgain());
  }
}
