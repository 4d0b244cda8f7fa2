/** What the pod network has on this host beside routes: rules, devices of tunnels, the kernel's settings. */
import { gatewayOf, overlaps, parseSubnet } from "../../lib/subnet.ts";
import type { ClusterEntry } from "../../model/network.ts";
import type { Commands } from "../../seams/commands.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { type BridgeCables, BridgeDevice } from "./bridge-device.ts";
import { DockerRules, type DockerRulesOptions } from "./docker-rules.ts";
import { PodFirewall } from "./firewall.ts";
import type { GuardWish } from "./guard-script.ts";
import { type HostNet, HostNetError } from "./host-net.ts";
import { HostSysctls } from "./host-sysctls.ts";
import type { NetNames } from "./names.ts";
import { PacketGuard } from "./packet-guard.ts";
import { type PassingPacket, passageOf } from "./passage.ts";
import type { PeerPlan } from "./plan.ts";
import { bridgesBeside, type Chain, chainsOf, type RulesWish, rangesOf, type Table } from "./rules.ts";
import type { ShownTable } from "./shown-table.ts";
import { ensureVxlan, USUAL_VXLAN_PORT } from "./tunnels.ts";
import { ensureWireguard, type WireguardKeys, whyNoWireguard, wireguardKeys } from "./wireguard.ts";

export interface HostSideOptions extends DockerRulesOptions {
  readonly networkName: string;
  readonly commands: Commands;
  readonly host: HostNet;
  readonly names: NetNames;
  readonly hostAddress: () => string;
  readonly ports?: BridgeCables;
}

/** What was found last holds until it is looked for again: whoever asks meanwhile is not told that all is well. */
interface Words {
  /** What of the kernel's settings could not be had. */
  readonly sysctls: readonly string[];
  /** Another route of the host's that takes pods' addresses. */
  readonly clash?: string | undefined;
  /** A rule of this host's that cuts its pods off from other hosts. */
  readonly stopped?: string | undefined;
  /** Why large packets may be lost in tunnels. */
  readonly clamp?: string | undefined;
  /** What others' rules lack. */
  readonly docker?: string | undefined;
  /** Whose packets are believed that should not be. */
  readonly guard?: string | undefined;
}

export class HostSide {
  readonly #options: HostSideOptions;
  readonly #firewall: PodFirewall;
  readonly #sysctls: HostSysctls;
  readonly #guard: PacketGuard;
  readonly #bridge: BridgeDevice;
  readonly #docker: DockerRules;
  #keys: WireguardKeys | undefined;
  #hasAskedForWireguard = false;
  #hasFirewall = false;
  /** Undefined: an earlier process may have done it. */
  #isClamped: boolean | undefined;
  words: Words = { sysctls: [] };
  /** The rules of guard-script.ts are in the kernel. */
  isGuarded = false;

  constructor(options: HostSideOptions) {
    this.#options = options;
    this.#firewall = new PodFirewall(options.commands);
    this.#guard = new PacketGuard(options.commands, options.networkName, options.names);
    this.#docker = new DockerRules(options);
    this.#bridge = new BridgeDevice(options.host, options.names.bridge, options.ports);
    this.#sysctls = new HostSysctls(options.commands, options.folder);
  }

  /** Before anything is looked at: what an earlier agent said of Docker holds on. */
  async begin(): Promise<void> {
    this.words = { ...this.words, docker: await this.#docker.last() };
  }

  get wireguardKey(): string | undefined {
    return this.#keys?.publicKey;
  }

  /** Whether this host can encrypt, once that is asked for. */
  async learn(mode: ClusterEntry["mode"], folder: string): Promise<void> {
    const { commands, host, names } = this.#options;
    if (mode !== "wireguard") {
      this.#keys = undefined;
      this.#hasAskedForWireguard = false;
    } else if (!this.#hasAskedForWireguard) {
      this.#hasAskedForWireguard = true;
      const why = await whyNoWireguard(host, commands, names);
      this.#keys = why === undefined ? await wireguardKeys(commands, folder) : undefined;
    }
  }

  /** Rejects with HostNetError when packets would not pass. */
  async rules(own: string, state: NetworkState, peers: readonly PeerPlan[], uplinks: readonly string[]): Promise<void> {
    const sysctls = await this.#sysctls.ensure();
    await this.#sysctls.shortenQueues(this.#options.names.bridge);
    const clash = await this.#clash(own, state);
    this.words = { ...this.words, sysctls, clash };
    if (!this.#hasFirewall) {
      const none = await this.#firewall.whyNone();
      if (none !== undefined)
        throw new HostNetError(`pods cannot be let through to other hosts and out of the cluster: ${none}`);
      this.#hasFirewall = true;
    }
    const chains = (beside: readonly string[]) => this.#chains(own, state, peers, { uplinks, beside });
    await this.#firewall.ensure("filter", (now) => of("filter", chains(bridgesBeside(this.#options.names, now))));
    const nat = await this.#firewall.ensure("nat", () => of("nat", chains([])));
    const filter = await this.#firewall.show("filter");
    const docker = await this.#docker.trouble(nat, filter);
    this.words = { ...this.words, docker };
    const stopped = stoppedWords(filter, own, passingPackets(this.#options.names, own, peers));
    this.words = { ...this.words, stopped };
    await this.#clamp(of("mangle", chains([])));
    const guard = await this.#guard.ensure(guardWishOf(own, state, peers));
    this.isGuarded = guard === undefined;
    this.words = { ...this.words, guard };
  }

  /** After `rules`. `links`: devices behind which hosts are with nothing between them and this one. */
  async loosen(links: readonly string[]): Promise<void> {
    const words = await this.#sysctls.loosen(links);
    if (words.length > 0) this.words = { ...this.words, sysctls: [...this.words.sysctls, ...words] };
  }

  /** What was wrong with the pods' bridge, and is made good now. */
  gateway(own: string): Promise<string | undefined> {
    return this.#bridge.ensure(own);
  }

  /** Docker may be making it at this moment. */
  get isGatewayComing(): boolean {
    return this.#bridge.isComing;
  }

  get facts(): Readonly<Record<string, number>> {
    return { "made anew": this.#bridge.remade };
  }

  /** Devices that some peer's packets go through. One that is there stays: the other end may still send by it. */
  async tunnels(own: string, peers: readonly PeerPlan[], port: number): Promise<void> {
    const { host, commands, names, hostAddress } = this.#options;
    const [wrapped, encrypted] = [mtuOf(peers, "vxlan"), mtuOf(peers, "wireguard")];
    if (wrapped !== undefined)
      await ensureVxlan(host, commands, names, { podRange: own, hostAddress: hostAddress(), port, mtu: wrapped });
    if (encrypted !== undefined && this.#keys)
      await ensureWireguard(host, commands, names, { podRange: own, keys: this.#keys, mtu: encrypted, peers });
  }

  async remove(): Promise<void> {
    const { host, names } = this.#options;
    const { routes } = await host.present();
    const lines = routes.map(({ dst, type }) =>
      ["route del", type ?? [], dst, "proto", names.protocol].flat().join(" "),
    );
    await host.write({ ip: lines, bridge: [] });
    for (const device of [names.vxlan, names.wireguard]) await host.removeDevice(device);
    for (const own of routes.filter(({ type }) => type === "unreachable")) await this.#bridge.drop(own.dst);
    const chains = chainsOf(names, { own: "", ranges: [], tunnels: [] });
    if ((await this.#firewall.whyNone()) === undefined)
      for (const table of ["filter", "nat", "mangle"] as const) await this.#firewall.remove(table, of(table, chains));
    await this.#guard.remove();
    await this.#sysctls.restore();
    await this.#docker.forget();
  }

  #chains(
    own: string,
    state: NetworkState,
    peers: readonly PeerPlan[],
    { uplinks, beside }: Required<Pick<RulesWish, "uplinks" | "beside">>,
  ): readonly Chain[] {
    const { vxlan, wireguard } = this.#options.names;
    const cluster = state.cluster?.podRange ?? own;
    const ranges = rangesOf(cluster, [own, ...peers.map(({ podRange }) => podRange)]);
    const used = new Set(peers.map(({ device }) => device));
    return chainsOf(this.#options.names, {
      ...{ own, ranges, beside },
      tunnels: [vxlan, wireguard].filter((device) => used.has(device)),
      uplinks: [...new Set([...used, ...uplinks])].sort(),
    });
  }

  /** Kernels without it lose only what is larger than a tunnel takes and forbids to be divided. */
  async #clamp(chains: readonly Chain[]): Promise<void> {
    const isNeeded = chains.some(({ rules }) => rules.length > 1);
    try {
      if (isNeeded || this.#isClamped !== false)
        await (isNeeded ? this.#firewall.ensure("mangle", () => chains) : this.#firewall.remove("mangle", chains));
      this.#isClamped = isNeeded;
      this.words = { ...this.words, clamp: undefined };
    } catch (error) {
      if (!(error instanceof HostNetError)) throw error;
      const clamp = `TCP is not told how large packets of tunnels may be (${error.message})`;
      this.words = { ...this.words, clamp: isNeeded ? clamp : undefined };
    }
  }

  /** In words: a route that somebody else made to addresses of the cluster's pods. */
  async #clash(own: string, { cluster }: NetworkState): Promise<string | undefined> {
    const whole = parseSubnet(cluster?.podRange ?? "");
    if (!whole) return undefined;
    const clash = (await this.#options.host.foreignRoutes(own)).find(
      ({ destination }) => destination.prefixLength >= whole.prefixLength && overlaps(destination, whole),
    );
    return (
      clash &&
      `${clash.destination.text} on ${clash.device} is part of the cluster range ${whole.text}: pods there are not reached`
    );
  }
}

/** In words: what stops packets between pods here and on other hosts, though our rules let them pass. */
function stoppedWords(filter: ShownTable, own: string, packets: readonly PassingPacket[]): string | undefined {
  const stop = packets.map((packet) => passageOf(filter, packet)).find((passage) => passage.isStopped);
  return (
    stop &&
    `its pods are cut off from other hosts: iptables' rule ${JSON.stringify(stop.rule)} of this host stops what they send each other; ` +
      `take it away, or let ${own} pass before it`
  );
}

/** One host behind each device. */
function passingPackets({ bridge }: NetNames, own: string, peers: readonly PeerPlan[]): readonly PassingPacket[] {
  const here = gatewayOf(own);
  return [...new Map(peers.map((peer) => [peer.device, peer])).values()].flatMap(({ device, gateway }) => [
    { from: gateway, to: here, in: device, out: bridge, state: "NEW" },
    { from: here, to: gateway, in: bridge, out: device, state: "NEW" },
  ]);
}

function guardWishOf(own: string, { cluster, tables }: NetworkState, peers: readonly PeerPlan[]): GuardWish {
  return {
    own,
    ranges: peers.map(({ podRange }) => podRange),
    hosts: [...tables.node.values()].map(({ address }) => address),
    vxlanPort: cluster?.vxlanPort ?? USUAL_VXLAN_PORT,
    isEncrypted: cluster?.mode === "wireguard",
  };
}

function of(table: Table, chains: readonly Chain[]): readonly Chain[] {
  return chains.filter((chain) => chain.table === table);
}

function mtuOf(peers: readonly PeerPlan[], mode: PeerPlan["mode"]): number | undefined {
  const sizes = peers.filter((peer) => peer.mode === mode).map(({ mtu }) => mtu);
  return sizes.length === 0 ? undefined : Math.min(...sizes);
}
