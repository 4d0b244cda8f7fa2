/**
 * Service addresses on this node: the NetworkPart that keeps the kernel's rules as Services and their endpoints are. A change of one
 * Service is one transaction of its own chains; at the start what the kernel has is compared, and what is right stays. Somebody
 * who takes all rules away (`nft flush ruleset`, `iptables -F`) is noticed by a look every few seconds.
 */
import { OneAtATime } from "../../lib/one-at-a-time.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import { CommandError, type Commands } from "../../seams/commands.ts";
import type { Log } from "../../seams/log.ts";
import type { NetworkPart, PartReport } from "../plane/network-part.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { Touched } from "../plane/touched.ts";
import { netNames } from "../pod-network/names.ts";
import { basePlanOf } from "./base-plan.ts";
import { chooseFirewall, hasBetter, removeFirewalls, removeOutdated } from "./choose-firewall.ts";
import type { BasePlan, Firewall } from "./firewall.ts";
import { Flows } from "./flows.ts";
import { foreignIn, foreignWords, type HostsOwn, NOTHING_FOREIGN, routesInto } from "./foreign-ranges.ts";
import { HostPorts, type ReservedPorts } from "./host-ports.ts";
import { allowHairpin, ensureServiceRoute, isBridgeFiltered, removeServiceRoute } from "./host-side.ts";
import { ServiceRules } from "./service-rules.ts";

const LOOK_EVERY_MS = 5000;
const MOST_SAID = 3;
const NOTHING_RESERVED: ReservedPorts = () => new Map();

export interface ServicesPartOptions {
  readonly commands: Commands;
  readonly clock: Clock;
  readonly log: Log;
  readonly networkName: string;
  /** The device behind which this node's pods are; absent: the host gets no route to service addresses. */
  readonly bridge?: string;
  /** Default: the best that this host has. */
  readonly firewall?: Firewall;
  readonly lookEveryMs?: number;
  /** The control plane, `host:port` each. */
  readonly servers?: () => readonly string[];
  /** Ports of this host that no Service may have, beside those at which a program of it listens. */
  readonly reserved?: ReservedPorts;
}

export class ServicesPart implements NetworkPart {
  readonly name = "services";
  readonly #options: ServicesPartOptions;
  readonly #flows: Flows;
  readonly #hostPorts: HostPorts;
  #rules: ServiceRules | undefined;
  #base: BasePlan | undefined;
  /** Nothing of ours is in the other kind of firewall. */
  #isAlone = false;
  /** What was told last: a look may find that the host changed under it. */
  #state: NetworkState | undefined;
  /** One change or look at a time. */
  readonly #lane = new OneAtATime();
  #look: Timer | undefined;
  #isStopped = false;
  #hostWords: string | undefined;
  #failure: string | undefined;
  #remade = 0;
  #lastMs = 0;

  constructor(options: ServicesPartOptions) {
    this.#options = options;
    this.#flows = new Flows(options.commands);
    this.#hostPorts = new HostPorts(options.commands, options.reserved ?? NOTHING_RESERVED);
  }

  apply(state: NetworkState, touched: Touched): Promise<void> {
    const { clock } = this.#options;
    return this.#inLane(async () => {
      const began = clock.monotonic();
      const rules = await this.#chosen();
      this.#state = state;
      const isOther = touched.isAll || touched.isCluster || touched.nodes.has(state.nodeName);
      const base = this.#base === undefined || isOther ? await this.#rebase(state) : this.#base;
      await rules.plan(state, touched.isAll ? undefined : touched.services, base);
      await this.#program(rules);
      this.#lastMs = clock.monotonic() - began;
    });
  }

  lookAgain(): Promise<void> {
    return this.#inLane(() => this.#lookNow());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#look?.cancel();
    await this.#lane.idle();
  }

  async remove(): Promise<void> {
    await this.stop();
    const { commands, networkName, bridge } = this.#options;
    await removeFirewalls(commands, networkName);
    if (bridge !== undefined) await removeServiceRoute(commands, bridge);
    this.#rules = undefined;
  }

  report(): PartReport {
    const conflicts = this.#rules?.conflicts ?? [];
    const all = [
      wordsOf(conflicts),
      this.#foreign(),
      this.#hidden(),
      this.#hostWords,
      this.#hostPorts.words,
      this.#flows.words,
    ];
    const said = all.filter((words) => words !== undefined).join("; ");
    const words = this.#failure ?? (said === "" ? undefined : said);
    return {
      state: this.#failure === undefined && conflicts.length === 0 ? "working" : "failing",
      ...(words === undefined ? {} : { words }),
      facts: {
        rules: this.#rules?.firewall.name ?? "none yet",
        services: this.#rules?.size ?? 0,
        "last change in ms": Math.round(this.#lastMs),
        "made anew": this.#remade,
      },
    };
  }

  #hidden(): string | undefined {
    if (this.#base?.isBridgeFiltered !== false) return undefined;
    return "bridge-nf-call-iptables is not 1: a pod that reaches another of this node by a service address is seen as this host";
  }

  #foreign(): string | undefined {
    const { foreign, serviceRange } = this.#base ?? {};
    return foreign && serviceRange && foreignWords(foreign, serviceRange);
  }

  async #chosen(): Promise<ServiceRules> {
    const { commands, networkName, firewall, clock } = this.#options;
    this.#rules ??= new ServiceRules(firewall ?? (await chooseFirewall(commands, networkName)), clock, this.#hostPorts);
    return this.#rules;
  }

  #own(): HostsOwn {
    const { networkName, bridge, servers = () => [] } = this.#options;
    const names = netNames(networkName);
    const devices = [names.bridge, names.vxlan, names.wireguard, ...(bridge === undefined ? [] : [bridge])];
    return { devices, servers: servers().map((server) => server.replace(/:\d+$/, "")) };
  }

  async #rebase(state: NetworkState): Promise<BasePlan> {
    const { commands, bridge } = this.#options;
    const range = state.cluster?.serviceRange;
    const isFiltered = await isBridgeFiltered(commands);
    // Where it cannot be asked, what was known of it holds.
    let foreign = this.#base?.foreign ?? NOTHING_FOREIGN;
    await this.#onHost(async () => {
      const routes = range === undefined ? [] : await routesInto(commands, range);
      if (range !== undefined) foreign = foreignIn(routes, range, this.#own());
      if (bridge !== undefined) await ensureServiceRoute(commands, basePlanOf(state, isFiltered, foreign), routes);
    });
    this.#base = basePlanOf(state, isFiltered, foreign);
    return this.#base;
  }

  /** Without iproute2 the rules work all the same, for pods. */
  async #onHost(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#hostWords = undefined;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.#hostWords = `this host itself may not reach service addresses: ${error.message}`;
    }
  }

  async #program(rules: ServiceRules): Promise<void> {
    const { commands, bridge } = this.#options;
    const { flows, hasNewHairpin } = await rules.program();
    if (hasNewHairpin && bridge !== undefined) await this.#onHost(() => allowHairpin(commands, bridge));
    await this.#flows.forget(flows);
    if (this.#isAlone) return;
    // Once what takes their place is there; where a test chose the firewall, there are no others.
    const { firewall, networkName } = this.#options;
    if (firewall === undefined) await removeOutdated(rules.firewall, commands, networkName);
    this.#isAlone = true;
  }

  /** A host on which nft came back has its rules in two kinds of firewall otherwise, or, where iptables fails, in none. */
  async #reconsidered(state: NetworkState, base: BasePlan, rules: ServiceRules): Promise<ServiceRules> {
    const { commands, firewall, log } = this.#options;
    if (firewall !== undefined || !(await hasBetter(rules.firewall, commands))) return rules;
    log.info("nft is there again: rules of service addresses are written in it");
    this.#rules = undefined;
    this.#isAlone = false;
    const better = await this.#chosen();
    await better.plan(state, undefined, base);
    return better;
  }

  #inLane(work: () => Promise<void>): Promise<void> {
    return this.#lane.run(async () => {
      if (this.#isStopped) return;
      try {
        await work();
        this.#failure = undefined;
      } catch (error) {
        this.#failure = error instanceof Error ? error.message : String(error);
        throw error;
      } finally {
        this.#lookLater();
      }
    });
  }

  /** However many changes come meanwhile. */
  #lookLater(): void {
    if (this.#isStopped || this.#look !== undefined) return;
    const { clock, lookEveryMs = LOOK_EVERY_MS, log } = this.#options;
    this.#look = clock.setTimer(lookEveryMs, () => {
      this.#look = undefined;
      this.#inLane(() => this.#lookNow()).catch((error: unknown) =>
        log.warn("service rules", { error: String(error) }),
      );
    });
  }

  async #lookNow(): Promise<void> {
    const { commands, bridge, log } = this.#options;
    const state = this.#state;
    if (this.#rules === undefined || state === undefined) return;
    // Also makes the route anew, where the bridge lost its address for a while.
    const base = await this.#rebase(state);
    const rules = await this.#reconsidered(state, base, this.#rules);
    // All of them when what they have in common is another.
    await rules.plan(state, [], base);
    await rules.recheck(state, base);
    if (bridge !== undefined) await this.#onHost(() => allowHairpin(commands, bridge));
    if (!(await rules.firewall.isIntact())) {
      log.warn("somebody took the rules of service addresses away; they are made anew");
      this.#remade++;
      rules.distrust();
    }
    await this.#program(rules);
  }
}

function wordsOf(conflicts: readonly string[]): string | undefined {
  if (conflicts.length === 0) return undefined;
  const more = conflicts.length > MOST_SAID ? [`and ${conflicts.length - MOST_SAID} more`] : [];
  return [...conflicts.slice(0, MOST_SAID), ...more].join("; ");
}
