/**
 * Service addresses on this node: the NetworkPart that keeps the kernel's rules as Services and their endpoints are. A change of one
 * Service is one transaction of its own chains; at the start what the kernel has is compared, and what is right stays. Somebody
 * who takes all rules away (`nft flush ruleset`, `iptables -F`) is noticed by a look every few seconds.
 */
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Commands } from "../../seams/commands.ts";
import type { Log } from "../../seams/log.ts";
import type { NetworkPart, PartReport } from "../plane/network-part.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { Touched } from "../plane/touched.ts";
import { basePlanOf } from "./base-plan.ts";
import { chooseFirewall, removeFirewalls } from "./choose-firewall.ts";
import type { BasePlan, Firewall } from "./firewall.ts";
import { allowHairpin, ensureServiceRoute, isBridgeFiltered, removeServiceRoute } from "./host-side.ts";
import { ServiceRules } from "./service-rules.ts";
import { UdpFlows } from "./udp-flows.ts";

const LOOK_EVERY_MS = 5000;

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
}

export class ServicesPart implements NetworkPart {
  readonly name = "services";
  readonly #options: ServicesPartOptions;
  readonly #flows: UdpFlows;
  #rules: ServiceRules | undefined;
  #base: BasePlan | undefined;
  /** One change or look at a time. */
  #lane: Promise<unknown> = Promise.resolve();
  #look: Timer | undefined;
  #isStopped = false;
  #failure: string | undefined;
  #remade = 0;
  #lastMs = 0;

  constructor(options: ServicesPartOptions) {
    this.#options = options;
    this.#flows = new UdpFlows(options.commands);
  }

  apply(state: NetworkState, touched: Touched): Promise<void> {
    const { clock } = this.#options;
    return this.#inLane(async () => {
      const began = clock.monotonic();
      const rules = await this.#chosen();
      if (this.#base === undefined || touched.isAll || touched.isCluster || touched.nodes.has(state.nodeName))
        await this.#rebase(state);
      await rules.plan(state, touched.isAll ? undefined : touched.services, this.#base ?? basePlanOf(state, true));
      await this.#program(rules);
      this.#lastMs = clock.monotonic() - began;
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#look?.cancel();
    await this.#lane;
  }

  async remove(): Promise<void> {
    await this.stop();
    const { commands, networkName, bridge } = this.#options;
    await removeFirewalls(commands, networkName);
    if (bridge !== undefined) await removeServiceRoute(commands, bridge);
    this.#rules = undefined;
  }

  report(): PartReport {
    const words = this.#failure ?? this.#rules?.conflict() ?? this.#flows.words;
    return {
      state: this.#failure === undefined ? "working" : "failing",
      ...(words === undefined ? {} : { words }),
      facts: {
        rules: this.#rules?.firewall.name ?? "none yet",
        services: this.#rules?.size ?? 0,
        "last change in ms": Math.round(this.#lastMs),
        "made anew": this.#remade,
      },
    };
  }

  async #chosen(): Promise<ServiceRules> {
    const { commands, networkName, firewall, clock } = this.#options;
    this.#rules ??= new ServiceRules(firewall ?? (await chooseFirewall(commands, networkName)), clock);
    return this.#rules;
  }

  async #rebase(state: NetworkState): Promise<void> {
    const { commands, bridge } = this.#options;
    this.#base = basePlanOf(state, await isBridgeFiltered(commands));
    if (bridge !== undefined) await ensureServiceRoute(commands, this.#base);
  }

  async #program(rules: ServiceRules): Promise<void> {
    const { commands, bridge } = this.#options;
    const { flows, hasNewHairpin } = await rules.program();
    if (hasNewHairpin && bridge !== undefined) await allowHairpin(commands, bridge);
    await this.#flows.forget(flows);
  }

  #inLane(work: () => Promise<void>): Promise<void> {
    const done = this.#lane.then(async () => {
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
    this.#lane = done.catch(() => undefined);
    return done;
  }

  #lookLater(): void {
    this.#look?.cancel();
    if (this.#isStopped) return;
    const { clock, lookEveryMs = LOOK_EVERY_MS, log } = this.#options;
    this.#look = clock.setTimer(lookEveryMs, () => {
      this.#inLane(() => this.#lookNow()).catch((error: unknown) =>
        log.warn("service rules", { error: String(error) }),
      );
    });
  }

  async #lookNow(): Promise<void> {
    const { commands, bridge, log } = this.#options;
    if (bridge !== undefined && this.#base !== undefined) {
      await ensureServiceRoute(commands, this.#base);
      await allowHairpin(commands, bridge);
    }
    if (this.#rules === undefined || (await this.#rules.firewall.isIntact())) return;
    log.warn("somebody took the rules of service addresses away; they are made anew");
    this.#remade++;
    this.#rules.distrust();
    await this.#program(this.#rules);
  }
}
