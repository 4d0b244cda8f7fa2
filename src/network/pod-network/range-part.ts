/**
 * This node's pod range: what the control plane gave it, unless pods still run with addresses of another, as after an upgrade or a change of
 * the range: those keep their network, which is said in words, until none of them is left; until then pods that come get no address.
 * Nor do they before the control plane has said which range it is: what this host remembers may be another's by now.
 */
import { parseSubnet } from "../../lib/subnet.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { LateAddresses } from "../late-addresses.ts";
import type { NetworkPart, PartReport } from "../plane/network-part.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { Touched } from "../plane/touched.ts";

/** The network of this node's pods, as the engine has it. */
export interface PresentNetwork {
  readonly subnet: string | undefined;
  readonly attached: number;
  readonly isOurs: boolean;
}

export interface RangePartOptions {
  readonly addresses: LateAddresses;
  /** Undefined when there is none; rejects when the engine does not say. */
  readonly look: () => Promise<PresentNetwork | undefined>;
  /** New pods get addresses of it from now on. */
  readonly changed: (range: string) => void;
  /** Why the node's pods have other addresses than it was given is different now, or over. */
  readonly troubled?: () => void;
  readonly networkName: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Soon enough that a node which was drained is another's equal before anybody has it take pods again. */
const AGAIN_MS = 1_000;
/** So long what is remembered waits for the control plane's word: without one this host goes on with what it was given last. */
const PATIENCE_MS = 10_000;
const UNSAID = "the control plane has not said yet which addresses the pods of this node have";

export class RangePart implements NetworkPart {
  readonly name = "pod range";
  readonly #options: RangePartOptions;
  #given: string | undefined;
  #trouble: string | undefined;
  #timer: Timer | undefined;
  #patience: Timer | undefined;
  /** The control plane has said what is given, or nobody is waited for any more. */
  #isSaid = false;
  /** Why the engine does not say what network there is. */
  #silent: string | undefined;
  #isStopped = false;

  constructor(options: RangePartOptions) {
    this.#options = options;
  }

  /** What this node's pods had when it ran last: they are adopted before anybody is heard. */
  async begin(): Promise<void> {
    this.#patience = this.#options.clock.setTimer(PATIENCE_MS, () => this.#said());
    this.#withhold();
    const found = await this.#present();
    if (this.#given === undefined && found?.subnet !== undefined && found.isOurs && found.attached > 0)
      this.#take(found.subnet);
  }

  async apply(state: NetworkState, touched: Touched): Promise<void> {
    if (touched.isAll || touched.nodes.has(state.nodeName)) await this.#hear(state);
    if (state.isTold && !this.#isSaid) this.#said();
  }

  async #hear(state: NetworkState): Promise<void> {
    const { podRange, rangeProblem } = state.self ?? {};
    if (rangeProblem !== undefined) this.#options.addresses.setProblem(rangeProblem);
    this.#given = podRange;
    await this.#settle();
  }

  /** Why this node's pods have other addresses than those that were given to it. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#patience?.cancel();
  }

  async remove(): Promise<void> {
    await this.stop();
  }

  report(): PartReport {
    const { range } = this.#options.addresses;
    const facts = {
      ...(range === undefined ? {} : { range }),
      ...(this.#given === undefined ? {} : { given: this.#given }),
    };
    const words = this.#trouble ?? (range === undefined ? this.#silent : undefined);
    if (words !== undefined) return { state: "failing", words, facts };
    return { state: range === undefined ? "off" : "working", facts };
  }

  async #settle(): Promise<void> {
    const given = this.#given;
    const { addresses } = this.#options;
    if (given === undefined || this.#isStopped) return;
    if (addresses.range === given && this.#silent === undefined) return this.#settled(given);
    const found = await this.#present();
    if (this.#isStopped || given !== this.#given) return;
    if (this.#silent !== undefined) return this.#goOnBeside(given);
    if (found === undefined || found.subnet === given || (found.isOurs && this.#isLeft(found))) {
      return this.#settled(given);
    }
    this.#keep(found, given);
  }

  #settled(given: string): void {
    this.#take(given);
    this.#setTrouble(undefined);
  }

  /** Others are reached by what was given; a pod cannot start before the engine answers, and then it is known what network there is. */
  #goOnBeside(given: string): void {
    if (this.#options.addresses.range === undefined) this.#take(given);
    this.#withhold();
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(AGAIN_MS, () => void this.#settle());
  }

  /** A pod that is about to start, or to start again, is on it as well. */
  #isLeft({ attached }: PresentNetwork): boolean {
    return attached === 0 && this.#options.addresses.isFree;
  }

  #keep({ subnet = "another range", isOurs }: PresentNetwork, given: string): void {
    const { networkName, log } = this.#options;
    const words = isOurs
      ? `this node's pods have addresses of ${subnet}, and the cluster has given it ${given}: other nodes do not reach them, and pods that ` +
        `come get none, until all of them have left that network (styr drain the node; docker network inspect ${networkName} shows who is still on it)`
      : `the Docker network "${networkName}" is somebody else's and has ${subnet}, and the cluster has given this node ${given}: remove it ` +
        `(docker network rm ${networkName}), or start styr with another --network`;
    if (isOurs && parseSubnet(subnet)) this.#take(subnet);
    if (this.#trouble === undefined) log.warn(words);
    this.#setTrouble(words);
    this.#settleLater();
  }

  /** The engine is not asked while pods hold addresses. */
  #settleLater(): void {
    const { addresses, clock } = this.#options;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(AGAIN_MS, () => void (addresses.isFree ? this.#settle() : this.#settleLater()));
  }

  #take(range: string): void {
    if (range === this.#options.addresses.range) return;
    this.#options.addresses.setRange(range);
    this.#options.changed(range);
  }

  #setTrouble(words: string | undefined): void {
    const before = this.#trouble;
    this.#trouble = words;
    this.#withhold();
    if (words !== before) this.#options.troubled?.();
  }

  #said(): void {
    this.#isSaid = true;
    this.#patience?.cancel();
    this.#withhold();
  }

  #withhold(): void {
    this.#options.addresses.withhold(this.#trouble ?? this.#silent ?? (this.#isSaid ? undefined : UNSAID));
  }

  /** Undefined also when the engine does not answer: what it has is looked at when it does. */
  async #present(): Promise<PresentNetwork | undefined> {
    const { look, log } = this.#options;
    try {
      const found = await look();
      this.#silent = undefined;
      return found;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      if (this.#silent === undefined) log.info("the engine does not say what the pods' network is", { why: words });
      this.#silent = words;
      return undefined;
    }
  }
}
