/**
 * Keeps the rules of bridge-script.ts as the bridge's ports are. Docker makes a port when a container starts and takes it away when it ends:
 * the ports are looked at several times a second, which costs no process, and the rest only when they are others.
 */
import { gatewayOf } from "../../lib/subnet.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Commands } from "../../seams/commands.ts";
import type { Log } from "../../seams/log.ts";
import { NftError, readNft, runNft, tableName, whyNoNft } from "../nft/table.ts";
import type { BridgeCables } from "./bridge-device.ts";
import { bridgeScript, FRAMES_CHAIN, type PodPort } from "./bridge-script.ts";

export interface BridgePorts extends BridgeCables {
  /** Numbers of the bridge's devices, sorted; none when there is no bridge. */
  indexes(): Promise<readonly number[]>;
  /** Those of them of which it is known whose they are. */
  pods(): Promise<readonly PodPort[]>;
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
/** So often in a row the engine is asked whose a port is that it does not name yet; after that at every `ensure`. */
const MOST_ASKED = 15;

export class BridgeGuard {
  readonly #options: BridgeGuardOptions;
  readonly #table: string;
  #own: string | undefined;
  #seen = "";
  #knowsBridge = true;
  #asked = 0;
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
    const { log, ports } = this.#options;
    this.#timer?.cancel();
    try {
      const indexes = await ports.indexes();
      if (indexes.join(" ") !== this.#seen) await this.#write(indexes);
      this.words = undefined;
    } catch (error) {
      const words = `pods of this host can send as each other: ${(error as Error).message}`;
      if (words !== this.words) log.warn(words);
      this.words = words;
    }
    if (!this.#isStopped) this.#timer = this.#options.clock.setTimer(LOOK_EVERY_MS, () => void this.#look());
  }

  async #write(indexes: readonly number[]): Promise<void> {
    const { commands, ports } = this.#options;
    const pods = indexes.length === 0 ? [] : await ports.pods();
    const script = this.#script(indexes, pods);
    if (script === undefined) return;
    const shown = await readNft(commands, ["list", "chain", "bridge", this.#table, FRAMES_CHAIN]);
    if (!shown?.includes(`"${script.mark}"`)) await this.#run(indexes, pods);
    const isWhole = pods.length >= indexes.length || ++this.#asked >= MOST_ASKED;
    if (!isWhole) return;
    this.#seen = indexes.join(" ");
    this.#asked = 0;
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
    const wish = { bridge, own, gateway: gatewayOf(own), indexes, pods, knowsBridge: this.#knowsBridge };
    return bridgeScript(this.#table, wish);
  }
}
