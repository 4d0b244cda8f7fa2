/** The plan in force of the ways to other nodes, with what this host said of the ways to their hosts. */
import { isHostAddress } from "../../lib/subnet.ts";
import type { NodeEntry } from "../../model/network.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { type ForeignRoute, isRouted } from "./foreign-routes.ts";
import type { HostNet } from "./host-net.ts";
import type { NetNames } from "./names.ts";
import { type HostWay, isPlannedAlike, type PeerPlan, type Plan, planPeers } from "./plan.ts";
import { type Refusal, withoutRefused } from "./refusals.ts";
import type { JudgedPeer } from "./way-judge.ts";

export interface PeerPlannerOptions {
  readonly host: HostNet;
  readonly names: NetNames;
  /** Servers of the control plane, `host:port`. */
  readonly servers: () => readonly string[];
}

export interface PlanWish {
  readonly state: NetworkState;
  readonly own: string;
  readonly hasWireguard: boolean;
  /** Nodes to which plain routes lead nowhere. */
  readonly fallenBack: ReadonlySet<string>;
  /** The host is asked again, whatever it said before. */
  readonly isLook: boolean;
}

export class PeerPlanner {
  readonly #options: PeerPlannerOptions;
  #ways: ReadonlyMap<string, HostWay> = new Map();
  #foreign: readonly ForeignRoute[] | undefined;
  #nodes: ReadonlyMap<string, NodeEntry> = new Map();
  #peers: ReadonlyMap<string, PeerPlan> = new Map();
  #plan: Plan = { peers: [], wayless: [] };

  constructor(options: PeerPlannerOptions) {
    this.#options = options;
  }

  get plan(): Plan {
    return this.#plan;
  }

  peer(node: string): PeerPlan | undefined {
    return this.#peers.get(node);
  }

  wayTo(peer: PeerPlan): HostWay | undefined {
    return this.#ways.get(peer.address);
  }

  /** Devices by which hosts are reached, also those outside of the cluster. */
  get uplinks(): readonly string[] {
    return [...this.#ways.values(), ...(this.#foreign ?? []).filter(isRouted)].map(({ device }) => device);
  }

  /** Devices behind which hosts are with nothing between. */
  get links(): readonly string[] {
    return [...new Set(this.judged.flatMap(({ link }) => link ?? []))].sort();
  }

  get judged(): readonly JudgedPeer[] {
    return this.#plan.peers.map((peer) => {
      const way = this.wayTo(peer);
      const isSilent = this.#nodes.get(peer.node)?.isSilent === true;
      return { node: peer.node, mode: peer.mode, isSilent, ...(way?.isOnLink ? { link: way.device } : {}) };
    });
  }

  /** Nodes to which another way leads than before. */
  async bring({ state, own, hasWireguard, fallenBack, isLook }: PlanWish): Promise<readonly string[]> {
    const { cluster, tables, nodeName } = state;
    if (cluster === undefined) return [];
    const { host, names, servers } = this.#options;
    const nodes = [...tables.node.values()];
    const addresses = nodes.flatMap(({ id, address }) => (id !== nodeName && isHostAddress(address) ? [address] : []));
    if (isLook || addresses.some((address) => !this.#ways.has(address))) this.#ways = await host.ways(addresses);
    if (isLook || this.#foreign === undefined) this.#foreign = await host.foreignRoutes(own);
    const before = this.#peers;
    this.#nodes = new Map(tables.node);
    this.#set(
      planPeers({
        ...{ cluster, nodes, fallenBack, hasWireguard, ways: this.#ways, foreign: this.#foreign, devices: names },
        self: { id: nodeName, podRange: own },
        servers: servers().map((server) => server.replace(/:\d+$/, "")),
      }),
    );
    return this.#plan.peers.flatMap(({ node, mode }) => ((before.get(node)?.mode ?? mode) === mode ? [] : [node]));
  }

  /** Nothing that ways are planned from is another than it was: who is silent, or in which zone, leads nowhere else. */
  isPlanned({ tables }: NetworkState, touched: Iterable<string>): boolean {
    return [...touched].every((name) => isPlannedAlike(this.#nodes.get(name), tables.node.get(name)));
  }

  /** Each costs its own peer only. What is of no peer. */
  refuse(refusals: readonly Refusal[]): readonly Refusal[] {
    const { others, ...plan } = withoutRefused(this.#plan, refusals);
    this.#set(plan);
    return others;
  }

  #set(plan: Plan): void {
    this.#plan = plan;
    this.#peers = new Map(plan.peers.map((peer) => [peer.node, peer]));
  }
}
