/** The rules of all Services of a node: planned from what it was told, compared with what the kernel has, and brought there as one difference. */
import type { ServiceEntry } from "../../model/network.ts";
import type { Clock } from "../../seams/clock.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { placeOf } from "./base-plan.ts";
import type { BasePlan, Firewall } from "./firewall.ts";
import { allFlows, type FlowFilter, flowsToForget, lastingProtocols } from "./flows.ts";
import { type Foreign, foreignAt } from "./foreign-ranges.ts";
import type { HostPorts } from "./host-ports.ts";
import { planService, type ServicePlan } from "./plan-service.ts";
import { PortClaims } from "./port-claims.ts";
import { type Difference, isNothing, type Piece, type Programmed, Ruleset } from "./ruleset.ts";

/** Services planned in one turn of the event loop. */
const SERVICES_A_TURN = 100;
const MOST_REFUSED = 10;
/** Owner of the base: before every id of a Service. */
const BASE = "";

type Change = readonly [owner: string, piece: Piece | undefined];

export interface Programming {
  /** What the kernel has to forget. */
  readonly flows: readonly FlowFilter[];
  /** A pod of this node became an endpoint, and may reach itself. */
  readonly hasNewHairpin: boolean;
}

export class ServiceRules {
  readonly firewall: Firewall;
  readonly #clock: Clock;
  readonly #hostPorts: HostPorts | undefined;
  readonly #claims = new PortClaims();
  readonly #ruleset = new Ruleset();
  readonly #plans = new Map<string, ServicePlan>();
  /** Why a Service is not reached at an address of its own here, in words, by its id. */
  readonly #displaced = new Map<string, string>();
  /** Undefined: what is in the kernel is not known (at the start, after a failure). */
  #programmed: Programmed | undefined;
  /** What was planned and not brought yet, by owner. */
  readonly #changed = new Map<string, Piece | undefined>();
  readonly #lasting: ReturnType<typeof lastingProtocols>;
  #flows: FlowFilter[] = [];
  /** The base and the place for which all were planned, as text. */
  #common = "";

  constructor(firewall: Firewall, clock: Clock, hostPorts?: HostPorts) {
    this.firewall = firewall;
    this.#lasting = lastingProtocols(firewall.forgetsUnanswered);
    this.#clock = clock;
    this.#hostPorts = hostPorts;
  }

  get size(): number {
    return this.#plans.size;
  }

  /** `services`: those that changed; undefined: all. */
  async plan(state: NetworkState, services: Iterable<string> | undefined, base: BasePlan): Promise<void> {
    const { node, zone } = placeOf(state);
    const common = JSON.stringify({ base, node, zone });
    const isAll = services === undefined || common !== this.#common;
    if (common !== this.#common) this.#changed.set(BASE, this.firewall.base(base));
    this.#common = common;
    const ids = new Set(isAll ? [...state.tables.service.keys(), ...this.#plans.keys()] : services);
    await this.#claim(state, ids, isAll);
    let turn = 0;
    for (const id of ids) {
      this.#planOne(state, id, base);
      if (++turn % SERVICES_A_TURN === 0) await this.#clock.sleep(0);
    }
  }

  /** What this host keeps for itself may have changed: its programs come and go. */
  async recheck(state: NetworkState, base: BasePlan): Promise<void> {
    for (const id of await this.#lookAtHost(state)) this.#planOne(state, id, base);
  }

  /** Adds to `ids` who else is concerned: it loses a port to an older one, or has it now. */
  async #claim(state: NetworkState, ids: Set<string>, isAll: boolean): Promise<void> {
    const before = new Set(this.#claims.wanted);
    for (const id of [...ids]) for (const other of this.#claims.put(id, state.tables.service.get(id))) ids.add(other);
    const isNew = isAll || [...this.#claims.wanted].some((key) => !before.has(key));
    if (isNew) for (const other of await this.#lookAtHost(state)) ids.add(other);
  }

  async #lookAtHost(state: NetworkState): Promise<Iterable<string>> {
    return this.#hostPorts === undefined ? [] : this.#claims.keep(await this.#hostPorts.kept(this.#claims, state));
  }

  /** Brings the kernel to what was planned. Rejects in words when it refused some of it; the rest is in force then. */
  async program(): Promise<Programming> {
    const isAdopting = this.#programmed === undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    try {
      const difference = await this.#bringChanged(changed).catch((error: unknown) => {
        if (isAdopting) throw error;
        // The kernel does not have what it should: somebody was at it. What it has now is looked at.
        return this.#bringChanged(changed);
      });
      if (isAdopting) this.#flows.push(...this.#flowsOfRewritten(difference));
      const hasNewHairpin = difference.newElements.some(({ container }) => container.endsWith("-hairpin"));
      return { flows: this.#flows.splice(0), hasNewHairpin };
    } catch (error) {
      const refused = changed.length > 1 ? await this.#isolate(changed) : changed;
      // Unless they change meanwhile, they are asked for again.
      for (const [id, piece] of refused) if (!this.#changed.has(id)) this.#changed.set(id, piece);
      const names = refused.slice(0, 3).map(([id]) => id || "what all Services share");
      const words = error instanceof Error ? error.message : String(error);
      throw new Error(names.length === 0 ? words : `${names.join(", ")} cannot be written: ${words}`);
    }
  }

  /** What the kernel refuses of one Service shall not hold up the others: half by half, until those are found that it refuses. */
  async #isolate(changed: readonly Change[], refused: Change[] = []): Promise<readonly Change[]> {
    // So many at once are no Services' fault.
    if (refused.length >= MOST_REFUSED) return refused.concat(changed);
    const isDone = await this.#bringChanged(changed).then(
      () => true,
      () => false,
    );
    if (isDone) return refused;
    if (changed.length <= 1) return refused.concat(changed);
    const half = Math.ceil(changed.length / 2);
    return this.#isolate(changed.slice(half), [...(await this.#isolate(changed.slice(0, half), refused))]);
  }

  /** Of what the kernel refuses, what was before is wanted again. */
  async #bringChanged(changed: readonly Change[]): Promise<Difference> {
    const before = changed.map(([id]) => [id, this.#ruleset.pieceOf(id)] as const);
    for (const [id, piece] of changed) this.#ruleset.put(id, piece);
    try {
      return await this.#bring();
    } catch (error) {
      for (const [id, piece] of before) this.#ruleset.put(id, piece);
      throw error;
    }
  }

  async #bring(): Promise<Difference> {
    const isAdopting = this.#programmed === undefined;
    const programmed = this.#programmed ?? (await this.firewall.read());
    const difference = this.#ruleset.difference(programmed, isAdopting);
    this.#programmed = undefined;
    if (!isNothing(difference)) await this.firewall.apply(difference);
    this.#ruleset.settle(programmed, difference);
    this.#programmed = programmed;
    return difference;
  }

  /** What the kernel has is to be read again before the next change. */
  distrust(): void {
    this.#programmed = undefined;
  }

  /** Services that do not have what they want, in words: another one has it, or this host. */
  get conflicts(): readonly string[] {
    const ports = this.#claims
      .disputes()
      .map(({ service, key, words }) => `${service} does not have ${key} here: ${words}`);
    const others = this.#ruleset
      .contested()
      .map(({ key, loser, winner }) => `${loser} does not have ${key}: ${winner} has it`);
    return [...ports, ...others, ...this.#displaced.values()];
  }

  #planOne(state: NetworkState, id: string, base: BasePlan): void {
    const service = state.tables.service.get(id);
    const here = service && this.#placed(this.#claims.allowed(service), base.foreign);
    const plan = here && planService(here, state.endpointsOf(id), placeOf(state));
    const before = this.#plans.get(id);
    // After a start there is nothing to compare with.
    if (before !== undefined || this.#programmed !== undefined)
      this.#flows.push(...flowsToForget(before, plan, this.#lasting));
    this.#changed.set(id, plan && this.firewall.service(plan, base));
    if (plan === undefined) this.#plans.delete(id);
    else this.#plans.set(id, plan);
    if (plan === undefined) this.#displaced.delete(id);
  }

  /** Without the addresses that are others' on this host: whoever may write a Service must not draw to himself what is sent there. */
  #placed(service: ServiceEntry, foreign: Foreign): ServiceEntry {
    const lost = service.addresses.flatMap((address) => {
      const range = foreignAt(foreign, address);
      return range === undefined ? [] : [{ address, ...range }];
    });
    const [first] = lost;
    if (first === undefined) this.#displaced.delete(service.id);
    else
      this.#displaced.set(
        service.id,
        `${service.id} is not reached at ${first.address} here: this host has ${first.range} on ${first.device}`,
      );
    const isLost = (address: string) => lost.some((one) => one.address === address);
    return first === undefined ? service : { ...service, addresses: service.addresses.filter((one) => !isLost(one)) };
  }

  #flowsOfRewritten({ chains }: Difference): FlowFilter[] {
    const rewritten = new Set(chains.filter(({ isNew }) => !isNew).map(({ name }) => name));
    if (rewritten.size === 0) return [];
    const plans = [...this.#plans.values()];
    return plans.flatMap((plan) => {
      const isRewritten = this.#ruleset.chainsOf(plan.id).some((name) => rewritten.has(name));
      return isRewritten ? allFlows(plan, this.#lasting) : [];
    });
  }
}
