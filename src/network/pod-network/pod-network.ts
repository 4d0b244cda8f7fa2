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
import { type AskConnections, ConnectionRoom } from "./connections.ts";
import { HostNet, HostNetError } from "./host-net.ts";
import { HostSide } from "./host-side.ts";
import { lossWords, unsteadyWords } from "./losses.ts";
import { type NetNames, netNames } from "./names.ts";
import { Passages } from "./passages.ts";
import { peerLinks } from "./peer-links.ts";
import { PeerPlanner } from "./peer-planner.ts";
import { PlainWay } from "./plain-way.ts";
import { Prober } from "./prober.ts";
import { refusalWords } from "./refusals.ts";
import { differences } from "./routes.ts";
import type { Dial, Knock } from "./tcp-ping.ts";
import { USUAL_VXLAN_PORT } from "./tunnels.ts";
import { WayJudge } from "./way-judge.ts";

export interface PodNetworkOptions {
  readonly networkName: string;
  /** It may be another later. */
  readonly hostAddress: () => string;
  /** Addresses of this node's pods, as Docker's network has them; undefined: not given yet. */
  readonly range: () => string | undefined;
  readonly commands: Commands;
  readonly clock: Clock;
  readonly log: Log;
  /** Where its key is, and what the host's settings were. */
  readonly folder: string;
  readonly dial: Dial;
  /** Absent: whether other hosts pass on what is for their pods is not asked. */
  readonly knock?: Knock;
  /** Servers of the control plane, `host:port`, as this node knows them. */
  readonly servers?: () => readonly string[];
  /** How full the host's table of connections is. Absent: nobody can be asked. */
  readonly connections?: AskConnections;
  /** Whether Docker runs and makes rules of iptables; undefined: it does not say. */
  readonly writesRules?: () => Promise<boolean | undefined>;
  /** The device behind which its pods are, when Docker does not name it. */
  readonly bridge?: string;
  /** Whose the bridge's ports are; absent: pods are not kept from sending as each other. */
  readonly ports?: BridgePorts;
  readonly lookEveryMs?: number;
  /** Told again and again: all nodes whose pods are not reached from here. */
  readonly unreached?: (nodes: readonly string[]) => void;
}

/** Somebody may have flushed the rules, a link may have been down. */
const LOOK_EVERY_MS = 10_000;
/** Docker's steps are tenths of a second apart, on a busy host too. */
const SECOND_LOOK_MS = 2_000;
/** So many probes in a row, and one more that decides (plane/lost-nodes.ts): what others serve is taken meanwhile, long before another way is. */
const UNREACHED = 2;

export class PodNetwork implements NetworkPart {
  readonly name = "pod network";
  readonly #options: PodNetworkOptions;
  readonly #names: NetNames;
  readonly #host: HostNet;
  readonly #side: HostSide;
  readonly #bridge: BridgeGuard | undefined;
  readonly #prober: Prober;
  readonly #passages: Passages | undefined;
  readonly #planner: PeerPlanner;
  readonly #judge: WayJudge;
  readonly #plain: PlainWay;
  readonly #room: ConnectionRoom;
  /** Nodes to which a way was planned since the start. */
  readonly #met = new Set<string>();
  #state: NetworkState | undefined;
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
    this.#planner = new PeerPlanner({ host: this.#host, names: this.#names, servers: options.servers ?? (() => []) });
    this.#prober = new Prober({ clock, dial, from, onRound: () => void this.#judgeAll() });
    if (options.knock !== undefined) this.#passages = new Passages({ clock, from, knock: options.knock });
    this.#plain = new PlainWay({
      ...{ clock, dial, log: options.log, own: range, host: this.#host, protocol: this.#names.protocol },
      turn: (write) => this.#turn.run(write),
    });
    this.#room = new ConnectionRoom(options.connections ?? (() => Promise.resolve(undefined)));
    this.#judge = new WayJudge({
      ...{ clock, log: options.log, seen: (node) => this.#prober.seen(node), changed: () => this.lookAgain() },
      mode: () => this.#state?.cluster?.mode,
      peers: () => this.#planner.judged,
      tryPlain: (node) => this.#tryPlain(node),
      isBlind: () => this.#room.isBlind(clock.monotonic()),
    });
  }

  /** Before anybody asks how it is. */
  async begin(): Promise<void> {
    const failed = (error: unknown) =>
      this.#options.log.warn("what was said of Docker last is not read", { why: String(error) });
    await this.#side.begin().catch(failed);
  }

  async apply(state: NetworkState, touched: Touched): Promise<void> {
    this.#state = state;
    if (!touched.isAll && !touched.isCluster && this.#isPlanned(state, touched)) return;
    await this.#turn.run(() => this.#bring(touched.isAll));
    this.#lookLater();
  }

  /** Its range was given or changed, or Docker was restarted. */
  async lookAgain(): Promise<void> {
    if (this.#state === undefined || this.#isStopped) return;
    const failed = (error: unknown) => this.#options.log.warn("the pod network", { why: String(error) });
    await this.#lookAtRoom();
    await this.#turn.run(() => this.#bring(true)).catch(failed);
    this.#lookLater();
  }

  /** How long an answer of that node took over the pod network, in milliseconds; undefined: none came until `signal` aborted. */
  async probe(node: string, signal: AbortSignal): Promise<number | undefined> {
    const peer = this.#passages?.isCut(node) === true ? undefined : this.#planner.peer(node);
    return peer && (await this.#prober.ask(peer, signal));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#prober.stop();
    this.#plain.stop();
    await this.#judge.idle();
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
    const full = this.#room.isFull ? this.#room.words : undefined;
    const words = [
      this.#failure,
      this.#room.words,
      stopped,
      docker,
      ...sysctls,
      clash,
      clamp,
      guard,
      this.#bridge?.words,
      this.#lossWords,
    ]
      .filter((text) => text !== undefined)
      .join("; ");
    const range = this.#options.range();
    return {
      state:
        (this.#failure ?? full ?? stopped ?? docker) !== undefined
          ? "failing"
          : range === undefined
            ? "off"
            : "working",
      ...(words === "" && range === undefined ? { words: "this node has no pod range yet" } : {}),
      ...(words === "" ? {} : { words }),
      facts: {
        ...(range === undefined ? {} : { range }),
        ...{ nodes: this.#planner.plan.peers.length, ...this.#side.facts, ...this.#room.facts },
      },
      peers: peerLinks(
        this.#planner.plan,
        {
          ...{ prober: this.#prober, passages: this.#passages },
          vxlanPort: this.#state?.cluster?.vxlanPort ?? USUAL_VXLAN_PORT,
        },
        this.#options.clock.monotonic(),
      ),
    };
  }

  /** Why others' pods are not all reached, or this node's not. */
  get trouble(): string | undefined {
    const { stopped, clash } = this.#side.words;
    return this.#failure ?? stopped ?? clash;
  }

  /** Why containers that publish ports do not start here. */
  get unpublished(): string | undefined {
    return this.#side.words.docker;
  }

  /** Other nodes that it reaches now and then only. */
  get unsteady(): string | undefined {
    return unsteadyWords(this.#losses);
  }

  get #lossWords(): string | undefined {
    return lossWords(this.#losses, this.#planner.plan.peers.length);
  }

  get #losses() {
    return this.#planner.plan.peers.flatMap(({ node }) => {
      const loss = this.#prober.loss(node);
      return loss === undefined ? [] : { node, ...loss };
    });
  }

  /** For the node's own status. */
  get status(): NodeNetworkReport {
    const key = this.#side.wireguardKey;
    return { ...(key === undefined ? {} : { wireguardKey: key }), ...(this.#side.isGuarded ? { echoes: true } : {}) };
  }

  #isPlanned(state: NetworkState, { nodes }: Touched): boolean {
    return nodes.size === 0 || (this.#written !== "" && this.#planner.isPlanned(state, nodes));
  }

  /** `isLook`: whatever is written may have been changed by others. */
  async #bring(isLook: boolean): Promise<void> {
    const own = this.#options.range();
    const state = this.#state;
    if (own === undefined || state?.cluster === undefined || this.#isStopped) return;
    try {
      await this.#side.learn(state.cluster.mode, this.#options.folder);
      await this.#replan(state, own, isLook);
      const { plan } = this.#planner;
      const text = JSON.stringify([own, state.cluster, plan]);
      if (isLook || text !== this.#written) await this.#write(own, state);
      // A peer that the host refused is tried again.
      this.#written = this.#planner.plan === plan ? text : "";
      this.#failure = undefined;
    } catch (error) {
      this.#written = "";
      this.#failure = error instanceof HostNetError || error instanceof CommandError ? error.message : String(error);
      throw error;
    } finally {
      this.#prober.setPeers(this.#planner.plan.peers);
      this.#tellUnreached();
    }
  }

  async #replan(state: NetworkState, own: string, isLook: boolean): Promise<void> {
    this.#judge.keepOnly(new Set(state.tables.node.keys()));
    for (const node of this.#met) if (!state.tables.node.has(node)) this.#met.delete(node);
    const plan = (isLook: boolean) => {
      const hasWireguard = this.#side.wireguardKey !== undefined;
      return this.#planner.bring({ state, own, hasWireguard, fallenBack: this.#judge.fallen, isLook });
    };
    const turned = await plan(isLook);
    for (const node of turned) this.#prober.forget(node);
    if (await this.#keepsWrapping()) await plan(false);
  }

  /** Of nodes that are met first the kernel may still have the way that an earlier agent found out: plain routes in its place would cut what goes there. */
  async #keepsWrapping(): Promise<boolean> {
    const met = this.#planner.plan.peers.filter(({ node }) => !this.#met.has(node));
    for (const { node } of met) this.#met.add(node);
    if (!met.some(({ mode }) => mode === "routes") || this.#state?.cluster?.mode !== "auto") return false;
    const { routes } = await this.#host.present();
    const wrapped = new Set(routes.flatMap(({ dst, dev }) => (dev === this.#names.vxlan ? dst : [])));
    const kept = met.filter(({ mode, podRange }) => mode === "routes" && wrapped.has(podRange));
    for (const { node, device } of kept) this.#judge.keep(node, device);
    return kept.length > 0;
  }

  async #write(own: string, state: NetworkState): Promise<void> {
    const { peers, wayless } = this.#planner.plan;
    const port = state.cluster?.vxlanPort ?? USUAL_VXLAN_PORT;
    // First, whatever is refused of the rest: everything hangs on it.
    const mended = await this.#side.gateway(own);
    if (mended !== undefined) this.#options.log.warn(`${mended}; it is made again`);
    await this.#side.rules(own, state, peers, this.#planner.uplinks);
    if (state.cluster?.mode === "auto") await this.#side.loosen(this.#planner.links);
    await this.#bridge?.ensure(own);
    await this.#side.tunnels(own, peers, port);
    const { vxlan, protocol } = this.#names;
    const refused = wayless.flatMap((one) => one.refused ?? []);
    const present = await this.#host.present();
    const routes = present.routes.filter((route) => !this.#plain.isOnTrial(route));
    const lines = differences({ own, peers, refused, vxlan, protocol }, { ...present, routes });
    const refusals = await this.#host.attempt(lines);
    const others = refusals.length === 0 ? [] : this.#planner.refuse(refusals);
    if (others.length > 0) throw new HostNetError(refusalWords(others));
  }

  async #tryPlain(node: string): Promise<boolean> {
    const peer = this.#planner.peer(node);
    const way = peer && this.#planner.wayTo(peer);
    return peer !== undefined && way !== undefined && (await this.#plain.works(peer, way));
  }

  /** After a round of probes. */
  async #judgeAll(): Promise<void> {
    await this.#lookAtRoom();
    void this.#judge.judge();
    this.#tellUnreached();
    const asked = this.#planner.plan.peers.filter(({ node }) => this.#state?.tables.node.get(node)?.echoes === true);
    void this.#passages?.look(asked, (node) => this.#prober.seen(node));
  }

  async #lookAtRoom(): Promise<void> {
    const { clock, log } = this.#options;
    const before = this.#room.words;
    try {
      await this.#room.look(clock.monotonic());
    } catch (error) {
      log.debug("the table of connections cannot be read", { why: String(error) });
    }
    const { words } = this.#room;
    if (words !== undefined && before === undefined) log.warn(words);
  }

  #tellUnreached(): void {
    const { peers, wayless } = this.#planner.plan;
    const isUnreached = (node: string) =>
      this.#prober.seen(node).failures >= UNREACHED || this.#passages?.isCut(node) === true;
    const all = [...wayless, ...peers.filter(({ node }) => isUnreached(node))].map(({ node }) => node);
    if (!this.#isStopped) this.#options.unreached?.(all);
  }

  #lookLater(): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    const everyMs = this.#options.lookEveryMs ?? LOOK_EVERY_MS;
    const ms = this.#side.isGatewayComing ? Math.min(SECOND_LOOK_MS, everyMs) : everyMs;
    this.#timer = this.#options.clock.setTimer(ms, () => void this.lookAgain());
  }
}
