/** A node's part of the cluster's network: the plane with its parts, the addresses of its pods, and the probes of other nodes. */
import { join } from "node:path";
import type { NodeNetwork } from "../../agent/node-network.ts";
import { DockerBridgePorts } from "../../drivers/docker/bridge-ports.ts";
import type { Engine } from "../../drivers/docker/engine.ts";
import { lookAtPodNetwork } from "../../drivers/docker/pod-network.ts";
import { writesRules } from "../../drivers/docker/writes-rules.ts";
import { deviceName } from "../../lib/device-name.ts";
import { DEFAULT_WAY_IN_PORTS } from "../../model/network.ts";
import { LateAddresses } from "../../network/late-addresses.ts";
import { dnsOfPods } from "../../network/names/dns-of-pods.ts";
import { LostRecord } from "../../network/plane/lost-record.ts";
import { NetworkCache } from "../../network/plane/network-cache.ts";
import type { NetworkPart } from "../../network/plane/network-part.ts";
import { type NetworkControl, NetworkPlane } from "../../network/plane/network-plane.ts";
import { unlistedThings } from "../../network/plane/unlisted-words.ts";
import { hostConnections } from "../../network/pod-network/connections.ts";
import { PodNetwork } from "../../network/pod-network/pod-network.ts";
import { RangePart, type RangePartOptions } from "../../network/pod-network/range-part.ts";
import { tcpKnock, tcpPing } from "../../network/pod-network/tcp-ping.ts";
import { serviceVariables } from "../../network/service-variables.ts";
import { CommandError } from "../../seams/commands.ts";
import { type NetworkPartsOptions, networkParts } from "./network-parts.ts";

export interface NetworkSide {
  readonly plane: NetworkPlane;
  readonly addresses: LateAddresses;
  readonly node: NodeNetwork;
  /** Rules of our own say whose addresses are hidden: Docker must not. */
  readonly isRouted: boolean;
  /** Before anything of pods is looked at: resolves when what was known of the network last is in force again, or cannot be. */
  start(control: NetworkControl): Promise<void>;
  /** The host's address is another. */
  readdressed(): void;
  stop(): Promise<void>;
  /** Takes everything off this host, also of an earlier process. */
  remove(): Promise<void>;
}

export interface NetworkSideOptions extends NetworkPartsOptions {
  readonly engine: Engine;
  readonly instance: string;
  /** The same part, counted. */
  readonly metered?: (part: NetworkPart) => NetworkPart;
}

export async function buildNetworkSide(options: NetworkSideOptions): Promise<NetworkSide> {
  const why = await whyNotRouted(options);
  const side = new Side(options, why);
  if (why !== undefined) options.log.warn("pods of other hosts are not reached", { why });
  return side;
}

/** Routes and rules are root's, and made with `ip`. */
async function whyNotRouted({ commands }: NetworkSideOptions): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return "styr runs without root, and routes and rules are root's to make";
  try {
    await commands.run("ip", ["-V"]);
    return undefined;
  } catch (error) {
    if (error instanceof CommandError) return `${error.message} (Debian: apt-get install iproute2)`;
    throw error;
  }
}

class Side implements NetworkSide {
  readonly plane: NetworkPlane;
  readonly addresses: LateAddresses;
  readonly isRouted: boolean;
  readonly #options: NetworkSideOptions;
  readonly #range: RangePart;
  readonly #pods: PodNetwork | OffPart;
  /** The ways to other nodes are planned: nobody can be asked before. */
  #hasWays = false;
  /** As it was told last. */
  #unpublished: string | undefined;
  #troubled: () => void = () => {};

  constructor(options: NetworkSideOptions, why: string | undefined) {
    this.#options = options;
    this.isRouted = why === undefined;
    this.addresses = new LateAddresses(options.random);
    const { addresses } = this;
    const heard = { addresses, changed: () => this.#changed(), troubled: () => this.#troubled() };
    this.#range = rangePart(options, heard);
    this.#pods =
      why === undefined ? podNetwork(options, this.addresses, (nodes) => this.#unreached(nodes)) : new OffPart(why);
    const { nodeName, clock, log, folder } = options;
    this.plane = new NetworkPlane({
      ...{ nodeName, clock, log: log.with({ component: "network" }), variables: serviceVariables },
      ...(this.isRouted ? { dns: dnsOfPods() } : {}),
      parts: [this.#range, this.#pods, ...networkParts(options)].map((part) => options.metered?.(part) ?? part),
      unlisted: () => this.#troubled(),
      cache: new NetworkCache({ folder, clock, log }),
      ...(this.isRouted ? { lost: new LostRecord({ folder, log }) } : {}),
      ...(options.servers === undefined ? {} : { servers: options.servers }),
      probe: ({ id }, signal) => this.#answers(id, signal),
    });
  }

  get node(): NodeNetwork {
    const [range, pods, addresses, settings] = [this.#range, this.#pods, this.addresses, this.#options.settings];
    const { plane } = this;
    return {
      get wish() {
        return settings.podRange ?? addresses.range ?? "";
      },
      get range() {
        return addresses.range;
      },
      get report() {
        const { httpPort, httpsPort } = settings.wayIn;
        const areUsual = [httpPort, httpsPort].join() === DEFAULT_WAY_IN_PORTS.join();
        return { ...pods.status, ...(areUsual ? {} : { wayInPorts: [httpPort, httpsPort] }) };
      },
      get trouble() {
        return range.trouble ?? pods.trouble;
      },
      get isClosed() {
        return range.trouble !== undefined;
      },
      get unlisted() {
        return unlistedThings(plane.state);
      },
      watch: (changed) => {
        this.#troubled = changed;
      },
      get failing() {
        const failing = plane.report.parts.filter(
          ({ name, state }) => state === "failing" && name !== pods.name && name !== range.name,
        );
        const words = failing.map(({ name, words = "fails" }) => `${name}: ${words}`);
        const all = [...(pods.unpublished === undefined ? [] : [pods.unpublished]), ...words];
        return all.length === 0 ? undefined : all.join("; ");
      },
      get unsteady() {
        return pods.unsteady;
      },
      get isUnpublished() {
        return pods.unpublished !== undefined;
      },
    };
  }

  async start(control: NetworkControl): Promise<void> {
    // An engine that stands still holds up neither rules nor names: what it says of pods' addresses is waited for by these alone.
    const ranged = this.#range.begin();
    if (this.#pods instanceof PodNetwork) await this.#pods.begin();
    await this.plane.begin();
    this.plane.follow(control);
    await ranged;
  }

  async stop(): Promise<void> {
    await this.plane.stop();
  }

  async remove(): Promise<void> {
    await this.plane.remove();
  }

  readdressed(): void {
    this.#changed();
  }

  #unreached(nodes: readonly string[]): void {
    this.#hasWays = true;
    this.plane.unreached(nodes);
    const { unpublished } = this.#pods;
    if (unpublished === this.#unpublished) return;
    // Pods that publish ports are placed by it.
    this.#unpublished = unpublished;
    this.#troubled();
  }

  async #answers(node: string, signal: AbortSignal): Promise<boolean | undefined> {
    if (!this.#hasWays) return undefined;
    return (await this.#pods.probe(node, signal)) !== undefined;
  }

  /** The range of this node is another, or its host's address: ways and rules are, too. */
  #changed(): void {
    if (this.#pods instanceof PodNetwork) void this.#pods.lookAgain();
  }
}

function rangePart(
  options: NetworkSideOptions,
  heard: Pick<RangePartOptions, "addresses" | "changed" | "troubled">,
): RangePart {
  const { engine, instance, settings, clock, log } = options;
  const look = () => lookAtPodNetwork(engine, { name: settings.networkName, instance });
  return new RangePart({ ...heard, ...{ look, clock, log }, networkName: settings.networkName });
}

function podNetwork(
  options: NetworkSideOptions,
  addresses: LateAddresses,
  unreached: (nodes: readonly string[]) => void,
): PodNetwork {
  const { settings, hostAddress, commands, clock, log, folder, engine } = options;
  const { networkName } = settings;
  const ports = new DockerBridgePorts(engine, { network: networkName, bridge: deviceName(networkName), commands });
  return new PodNetwork({
    ...{ networkName, hostAddress, commands, clock, ports, log: log.with({ part: "pod network" }) },
    ...{
      folder: join(folder, "pod-network"),
      range: () => addresses.range,
      unreached,
      dial: tcpPing(clock),
      knock: tcpKnock,
    },
    connections: () => hostConnections(),
    writesRules: () => writesRules(engine),
    ...(options.servers === undefined ? {} : { servers: options.servers }),
  });
}

/** Where routes cannot be made. */
class OffPart implements NetworkPart {
  readonly name = "pod network";
  readonly status = {};
  readonly trouble = undefined;
  readonly unpublished = undefined;
  readonly unsteady = undefined;
  readonly #why: string;

  constructor(why: string) {
    this.#why = why;
  }

  async apply(): Promise<void> {}

  /** It has no ways by which anybody could be asked. */
  async probe(): Promise<number | undefined> {
    return undefined;
  }

  async stop(): Promise<void> {}

  async remove(): Promise<void> {}

  report() {
    return { state: "off", words: this.#why } as const;
  }
}
