/**
 * NetworkPolicies in the kernel: `pol-` chains and sets of the network's nftables table. What changed is one small transaction; at the start
 * everything of ours is replaced in one, so that no packet ever sees half of it. What this host itself sends to its pods (probes, the way in)
 * is not asked for: it does not pass the forward hook.
 */

import { OneAtATime } from "../../lib/one-at-a-time.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import { CommandError, type Commands } from "../../seams/commands.ts";
import type { Log } from "../../seams/log.ts";
import { removeFromTable, UNSEEN_RULES, whyNoNft } from "../nft/table.ts";
import type { NetworkPart, PartReport } from "../plane/network-part.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { Touched } from "../plane/touched.ts";
import { unlistedWords } from "../plane/unlisted-words.ts";
import { PolicyKernel } from "./policy-kernel.ts";
import { PolicyPlan } from "./policy-plan.ts";
import { adoptingScript, changeScript, type Place, wholeScript } from "./policy-script.ts";
import { type ElementThing, PREFIX, picked, type Thing, type Things } from "./thing.ts";

export interface PoliciesPartOptions {
  readonly networkName: string;
  readonly commands: Commands;
  readonly clock: Clock;
  readonly log: Log;
  /** Pods that ran before the agent are found one by one: so long their rules stay as they were left. Default 30 s. */
  readonly adoptionMs?: number;
}

const ADOPTION_MS = 30_000;

/** So often it is looked whether the rules are still there, while there are any: somebody may flush them. */
const LOOK_MS = 5_000;

export class PoliciesPart implements NetworkPart {
  readonly name = "policies";
  /** A pod is not started before its policies are in force. */
  readonly isGate = true;
  readonly #options: PoliciesPartOptions;
  readonly #kernel: PolicyKernel;
  readonly #plan = new PolicyPlan();
  /** What the kernel has of ours; undefined: not known. */
  #applied: Map<string, Thing> | undefined;
  /** What the kernel has, from before this agent, of addresses of which it is not known yet whose they are: by `map key`. */
  #leftovers: ReadonlyMap<string, ElementThing> = new Map();
  /** Nothing is left there of an agent before. */
  #isOurs = false;
  #state: NetworkState | undefined;
  #policies = 0;
  /** Why nothing is enforced here. */
  #missing: string | undefined;
  #trouble: string | undefined;
  #bridge: string | undefined;
  #timer: Timer | undefined;
  readonly #adoptedAtMs: number;
  #sweep: Timer | undefined;
  /** One transaction at a time, also of those that a look finds needed. */
  readonly #lane = new OneAtATime();

  constructor(options: PoliciesPartOptions) {
    this.#options = options;
    this.#kernel = new PolicyKernel(options);
    this.#adoptedAtMs = options.clock.monotonic() + (options.adoptionMs ?? ADOPTION_MS);
  }

  apply(state: NetworkState, touched: Touched): Promise<void> {
    return this.#lane.run(async () => {
      const changed = this.#plan.update(state, touched);
      this.#state = state;
      this.#policies = state.tables.policy.size;
      if (this.#missing !== undefined && changed.size === 0 && !touched.isAll) return;
      // Most of what is told again was told before.
      const isKnown = !touched.isAll || (this.#isOurs && (await this.#isThere()));
      if (this.#applied === undefined || !isKnown) await this.#programAll();
      else await this.#program(new Set([...changed, ...this.#knownOf(this.#leftovers).keys()]));
      if (touched.isAll) await this.#lookAtBridge();
      this.#lookLater();
    });
  }

  lookAgain(): Promise<void> {
    return this.#lane.run(() =>
      this.#state === undefined || this.#plan.selectedPods === 0 ? Promise.resolve() : this.#look(),
    );
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#sweep?.cancel();
    this.#timer = undefined;
    await this.#lane.idle();
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#applied = undefined;
    this.#leftovers = new Map();
    const { commands, networkName } = this.#options;
    if ((await whyNoNft(commands)) === undefined) await removeFromTable(commands, networkName, PREFIX);
  }

  report(): PartReport {
    const pods = this.#plan.selectedPods;
    const facts = { policies: this.#policies, pods };
    if (this.#missing !== undefined) {
      const why = `${this.#missing}; install nftables, and be root: ${UNSEEN_RULES}`;
      if (pods === 0) return { state: "off", words: `NetworkPolicies could not be enforced here: ${why}`, facts };
      return { state: "failing", words: `NetworkPolicies are NOT enforced on this node: ${why}`, facts };
    }
    const words = this.#trouble ?? this.#kernel.refusal ?? (pods > 0 ? this.#bridge : undefined);
    if (words !== undefined) return { state: "failing", words, facts };
    return { state: "working", ...unlistedWords(this.#state?.unlisted, this.#state?.tables), facts };
  }

  async #programAll(): Promise<void> {
    const { commands, clock } = this.#options;
    this.#applied = undefined;
    this.#kernel.forget(this.#kernel.refused);
    this.#missing = await this.#orTrouble(whyNoNft(commands));
    // Not asked again and again: the next change, or the next look, tries anew.
    if (this.#missing !== undefined) return;
    const there = await this.#kernel.places();
    // What the disk remembers may be older than what the kernel has.
    const isAdopting = clock.monotonic() < this.#adoptedAtMs || this.#state?.isTold === false;
    const after = await (isAdopting ? this.#adopt(there) : this.#replace(there));
    this.#isOurs = !isAdopting;
    if (isAdopting && there.length > 0) this.#sweepLater();
    this.#applied = new Map(after);
    this.#trouble = undefined;
  }

  async #replace(there: readonly Place[]): Promise<Things> {
    const wanted = this.#plan.things;
    this.#leftovers = new Map();
    if (wanted.size === 0 && there.length === 0) return wanted;
    return await this.#run(wanted, (after) => wholeScript(this.#kernel.table, there, after));
  }

  async #adopt(there: readonly Place[]): Promise<Things> {
    const wanted = this.#plan.things;
    const left = await this.#kernel.elements(there);
    const gone = [...this.#knownOf(left)].filter(([name]) => !wanted.has(name));
    const isNothing = wanted.size === 0 && gone.length === 0;
    const script = (after: Things) =>
      adoptingScript(
        this.#kernel.table,
        left,
        after,
        gone.map(([, element]) => element),
      );
    const done = isNothing ? wanted : await this.#run(wanted, script);
    const known = new Set(gone.map(([name]) => name));
    this.#leftovers = new Map([...left].filter(([name]) => !known.has(name) && !wanted.has(name)));
    return done;
  }

  /** Of pods that this agent has found meanwhile: what the plan does not say of them is said no more. */
  #knownOf(left: ReadonlyMap<string, ElementThing>): ReadonlyMap<string, ElementThing> {
    if (left.size === 0 || this.#state?.isTold !== true) return new Map();
    const known = new Set([...this.#state.localPods.values()].map(({ address }) => address));
    return new Map([...left].filter(([, { key }]) => known.has(key)));
  }

  async #program(all: ReadonlySet<string>): Promise<void> {
    // Rules of pods that are not known yet come in by the same entrance, and may name the same chains and sets: the sweep takes those away.
    const isShared = (thing?: Thing) => thing !== undefined && thing.kind !== "element";
    const isKept = (name: string) =>
      this.#leftovers.size > 0 && !this.#plan.get(name) && isShared(this.#applied?.get(name));
    const changed = new Set([...all].filter((name) => !isKept(name)));
    if (changed.size === 0) return;
    const applied = this.#applied ?? new Map<string, Thing>();
    const leftovers = this.#leftovers;
    const before = picked(changed, (name) => applied.get(name) ?? leftovers.get(name));
    const wanted = picked(changed, (name) => this.#plan.get(name));
    // After a failure it is not known what the kernel has: somebody else may have been there.
    this.#applied = undefined;
    this.#kernel.forget(changed);
    const after = await this.#run(wanted, (one) => changeScript(this.#kernel.table, before, one, changed));
    const wasEmpty = applied.size === 0;
    for (const name of changed) {
      const thing = after.get(name);
      if (thing) applied.set(name, thing);
      else applied.delete(name);
    }
    this.#applied = applied;
    if (leftovers.size > 0) this.#leftovers = new Map([...leftovers].filter(([name]) => !changed.has(name)));
    if (wasEmpty) await this.#lookAtBridge();
  }

  async #run(wanted: Things, script: (after: Things) => string): Promise<Things> {
    const done = await this.#orTrouble(this.#kernel.run(wanted, script));
    this.#trouble = undefined;
    return done;
  }

  async #orTrouble<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#trouble = `NetworkPolicies are not up to date on this node: ${(error as Error).message}`;
      throw error;
    }
  }

  /** What is left of pods that did not come back goes. */
  #sweepLater(): void {
    const { clock, log } = this.#options;
    this.#sweep ??= clock.setTimer(this.#adoptedAtMs - clock.monotonic(), () => {
      this.#lane
        .run(() => this.#programAll())
        .catch((error: Error) => {
          this.#applied = undefined;
          log.warn("what is left of old policies could not be removed", { why: error.message });
        });
    });
  }

  async #lookAtBridge(): Promise<void> {
    if (this.#plan.selectedPods > 0) this.#bridge = await this.#kernel.bridgeTrouble();
  }

  #lookLater(): void {
    if (this.#timer !== undefined || this.#plan.selectedPods === 0) return;
    this.#timer = this.#options.clock.setTimer(LOOK_MS, () => {
      this.#timer = undefined;
      void this.#lane.run(() => this.#look()).then(() => this.#lookLater());
    });
  }

  async #isThere(): Promise<boolean> {
    return this.#applied !== undefined && (await this.#kernel.hasEntrance(this.#applied));
  }

  async #look(): Promise<void> {
    const { log } = this.#options;
    try {
      if (this.#missing !== undefined) return await this.#programAll();
      if (await this.#isThere()) {
        await this.#program(new Set(this.#kernel.refused));
        return await this.#lookAtBridge();
      }
      log.warn("rules of NetworkPolicies were gone, and are made again", { table: this.#kernel.table });
      await this.#programAll();
    } catch (error) {
      if (!(error instanceof CommandError)) this.#trouble ??= (error as Error).message;
      this.#applied = undefined;
      log.warn("rules of NetworkPolicies could not be looked at", { why: (error as Error).message });
    }
  }
}
