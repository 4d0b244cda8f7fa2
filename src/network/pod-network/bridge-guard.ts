/**
 * Keeps the rules of bridge-script.ts as the bridge's ports are. Docker makes a port when a container starts and takes it away when it ends:
 * the ports are looked at several times a second, which costs no process, and the rest only when they are others.
 */
import { gatewayOf } from "../../lib/subnet.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Commands } from "../../seams/commands.ts";
import { inTime } from "../../seams/in-time.ts";
import type { Log } from "../../seams/log.ts";
import { NftError, readNft, runNft, tableName, whyNoNft } from "../nft/table.ts";
import type { BridgeCables } from "./bridge-device.ts";
import { bridgeScript, FRAMES_CHAIN, type PodPort } from "./bridge-script.ts";

export interface BridgePorts extends BridgeCables {
  /** Numbers of the bridge's devices, sorted; none when there is no bridge. */
  indexes(): Promise<readonly number[]>;
  /** Those of them of which it is known whose they are. */
  pods(): Promise<readonly PodPort[]>;
  /** In words, pods that are known to be on the bridge, and not at which port. */
  strangers?(): readonly string[];
  /** Whether the port of some pod that has not begun yet may be among those that are not known. */
  isComing?(): boolean;
}

export interface BridgeGuardOptions {
  readonly commands: Commands;
  readonly clock: Clock;
  readonly log: Log;
  readonly networkName: string;
  readonly bridge: string;
  readonly ports: BridgePorts;
}

const LOOK_EVERY_MS = 200;
/** So often in a row it is asked whose a port is that is not known yet; after that nothing from it passes. */
const MOST_ASKED = 15;
/** While some pod is about to start: an engine that has much to do lays its port long before. */
const MOST_ASKED_OF_COMING = 150;
/** Then it is still asked, but less often: an engine that has much to do may name it late. */
const ASK_STRANGE_MS = 2_000;
/** No answer holds up what is known. */
const LONGEST_ASKED_MS = 10_000;

export class BridgeGuard {
  readonly #options: BridgeGuardOptions;
  readonly #table: string;
  #own: string | undefined;
  #seen = "";
  #knowsBridge = true;
  /** Ports of which it is not known whose they are, and how often it was asked. */
  #asked: ReadonlyMap<number, number> = new Map();
  #strange: readonly number[] = [];
  #askAtMs = 0;
  #timer: Timer | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isStopped = false;
  /** Why it is not kept, in words. */
  words: string | undefined;

  constructor(options: BridgeGuardOptions) {
    this.#options = options;
    this.#table = tableName(options.networkName);
  }

  /** All of it, whatever was seen before: somebody may have taken rules away. */
  async ensure(own: string): Promise<void> {
    this.#own = own;
    this.#seen = "";
    await this.#look();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#turn;
  }

  async remove(): Promise<void> {
    const { commands } = this.#options;
    if ((await whyNoNft(commands)) !== undefined) return;
    if ((await readNft(commands, ["-t", "list", "table", "bridge", this.#table])) !== undefined)
      await runNft(commands, `delete table bridge ${this.#table}\n`);
  }

  #look(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#bring());
    return this.#turn;
  }

  async #bring(): Promise<void> {
    const { ports, clock } = this.#options;
    this.#timer?.cancel();
    try {
      const indexes = await ports.indexes();
      const isDue = this.#asked.size > 0 && clock.monotonic() >= this.#askAtMs;
      if (isDue || indexes.join(" ") !== this.#seen) await this.#write(indexes);
      this.#say(this.#strangeWords());
    } catch (error) {
      this.#say(`pods of this host can send as each other: ${(error as Error).message}`);
    }
    if (!this.#isStopped) this.#timer = clock.setTimer(LOOK_EVERY_MS, () => void this.#look());
  }

  #say(words: string | undefined): void {
    if (words !== undefined && words !== this.words) this.#options.log.warn(words);
    this.words = words;
  }

  #strangeWords(): string | undefined {
    const strange = this.#strange;
    if (strange.length === 0) return undefined;
    const named = this.#options.ports.strangers?.() ?? [];
    const devices = `${strange.length === 1 ? "device" : "devices"} ${strange.join(", ")} of the pods' bridge`;
    const who = named.length === 0 ? "" : `; the port of ${named.join(", of ")} is not known`;
    return `nothing from ${devices} passes: it is not known whose addresses are there${who}`;
  }

  async #write(indexes: readonly number[]): Promise<void> {
    const { commands, clock, ports } = this.#options;
    const pods = indexes.length === 0 ? [] : await inTime(clock, LONGEST_ASKED_MS, ports.pods(), neverSaid);
    const known = new Set(pods.map(({ index }) => index));
    const missing = indexes.filter((index) => !known.has(index));
    this.#asked = new Map(missing.map((index) => [index, (this.#asked.get(index) ?? 0) + 1]));
    const most = ports.isComing?.() ? MOST_ASKED_OF_COMING : MOST_ASKED;
    const before = new Set(this.#strange);
    this.#strange = [...this.#asked].flatMap(([index, times]) => (times >= most || before.has(index) ? index : []));
    this.#askAtMs = clock.monotonic() + ASK_STRANGE_MS;
    const script = this.#script(indexes, pods);
    if (script === undefined) return;
    const shown = await readNft(commands, ["list", "chain", "bridge", this.#table, FRAMES_CHAIN]);
    if (!shown?.includes(`"${script.mark}"`)) await this.#run(indexes, pods);
    this.#seen = this.#strange.length === missing.length ? indexes.join(" ") : "";
  }

  async #run(indexes: readonly number[], pods: readonly PodPort[]): Promise<void> {
    const { commands } = this.#options;
    try {
      await runNft(commands, `${this.#script(indexes, pods)?.text}\n`);
    } catch (error) {
      if (!(error instanceof NftError) || !this.#knowsBridge || !/not supported/i.test(error.message)) throw error;
      this.#knowsBridge = false;
      await runNft(commands, `${this.#script(indexes, pods)?.text}\n`);
    }
  }

  #script(indexes: readonly number[], pods: readonly PodPort[]) {
    const { bridge } = this.#options;
    const own = this.#own;
    if (own === undefined) return undefined;
    const strange = this.#strange;
    const wish = { bridge, own, gateway: gatewayOf(own), indexes, pods, strange, knowsBridge: this.#knowsBridge };
    return bridgeScript(this.#table, wish);
  }
}

function neverSaid(): never {
  throw new Error(`whose the ports of their bridge are was not said within ${LONGEST_ASKED_MS / 1000} s`);
}
