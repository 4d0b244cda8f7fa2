/**
 * This node's pod range: what the control plane gave it, unless pods still run with addresses of another, as after an upgrade or a change of
 * the range: those keep their network, which is said in words, until none of them is left.
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
  readonly networkName: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Soon enough that a node which was drained is another's equal before anybody has it take pods again. */
const AGAIN_MS = 1_000;

export class RangePart implements NetworkPart {
  readonly name = "pod range";
  readonly #options: RangePartOptions;
  #given: string | undefined;
  #trouble: string | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: RangePartOptions) {
    this.#options = options;
  }

  /** What this node's pods had when it ran last: they are adopted before anybody is heard. */
  async begin(): Promise<void> {
    const found = await this.#present();
    if (found?.subnet !== undefined && found.isOurs && found.attached > 0) this.#take(found.subnet);
  }

  async apply(state: NetworkState, touched: Touched): Promise<void> {
    if (!touched.isAll && !touched.nodes.has(state.nodeName)) return;
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
    return this.#trouble === undefined
      ? { state: range === undefined ? "off" : "working", facts }
      : { state: "failing", words: this.#trouble, facts };
  }

  async #settle(): Promise<void> {
    const given = this.#given;
    const { addresses } = this.#options;
    if (given === undefined || this.#isStopped) return;
    if (addresses.range === given) {
      this.#trouble = undefined;
      return;
    }
    const found = await this.#present();
    if (found === undefined || found.subnet === given || (found.isOurs && this.#isLeft(found))) {
      this.#trouble = undefined;
      return this.#take(given);
    }
    this.#keep(found, given);
  }

  /** A pod that is about to start, or to start again, is on it as well. */
  #isLeft({ attached }: PresentNetwork): boolean {
    return attached === 0 && this.#options.addresses.isFree;
  }

  #keep({ subnet = "another range", isOurs }: PresentNetwork, given: string): void {
    const { addresses, networkName, log } = this.#options;
    const words = isOurs
      ? `this node's pods have addresses of ${subnet}, and the cluster has given it ${given}: other nodes do not reach them, until all pods ` +
        `have left that network (styr drain the node, then docker network inspect ${networkName} shows who is still on it)`
      : `the Docker network "${networkName}" is somebody else's and has ${subnet}, and the cluster has given this node ${given}: remove it ` +
        `(docker network rm ${networkName}), or start styr with another --network`;
    if (!isOurs) addresses.setProblem(words);
    else if (addresses.range === undefined && parseSubnet(subnet)) this.#take(subnet);
    if (this.#trouble === undefined) log.warn(words);
    this.#trouble = words;
    this.#settleLater();
  }

  /** The engine is not asked while pods hold addresses. */
  #settleLater(): void {
    const { addresses, clock } = this.#options;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(AGAIN_MS, () => void (addresses.isFree ? this.#settle() : this.#settleLater()));
  }

  #take(range: string): void {
    this.#options.addresses.setRange(range);
    this.#options.changed(range);
  }

  /** An engine that does not answer has nothing to say of it: it is asked again when it makes the network. */
  async #present(): Promise<PresentNetwork | undefined> {
    const { look, log } = this.#options;
    return look().catch((error: unknown) => {
      log.info("the engine does not say what the pods' network is", { why: String(error) });
      return undefined;
    });
  }
}
