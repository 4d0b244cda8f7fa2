/**
 * The pods' bridge, on which all that they say goes: up, and with the host's own address among theirs. Docker makes it once, and does not look
 * whether somebody took its address (a restart of the host's networking), set it down, or took it away.
 */
import { gatewayOf, holds, parseSubnet } from "../../lib/subnet.ts";
import { type HostNet, HostNetError } from "./host-net.ts";

export interface BridgeCables {
  /** The host's ends of the cables of containers on Docker's network of pods; undefined: Docker has no such network, or does not say. */
  cables?(): Promise<readonly string[] | undefined>;
}

const LOOPBACK = "lo";

export class BridgeDevice {
  readonly #host: HostNet;
  readonly #name: string;
  readonly #ports: BridgeCables | undefined;
  #isMissed = false;
  /** Number of the device that had all of it once: what it lacks from then on somebody took. */
  #whole: number | undefined;
  /** Number of one that is not whole yet. */
  #begun: number | undefined;
  /** So often something of it was made again. */
  remade = 0;

  constructor(host: HostNet, name: string, ports: BridgeCables | undefined) {
    this.#host = host;
    this.#name = name;
    this.#ports = ports;
  }

  /** Docker may be at it, between two of its steps: it is to be looked at again soon. */
  get isComing(): boolean {
    return this.#begun !== undefined;
  }

  /**
   * What was wrong with it, in words. Other nodes ask at the first address of the range whether this host is reached: where there is no bridge,
   * as without an engine, the loopback has it. Rejects with HostNetError.
   */
  async ensure(own: string): Promise<string | undefined> {
    const device = await this.#host.device(this.#name);
    if (device === undefined) return await this.#without(own);
    this.#isMissed = false;
    const address = gatewayOf(own);
    const { index, isUp, addresses } = device;
    const isAddressed = addresses.includes(address);
    const isWhole = isAddressed && isUp;
    const isBegun = !isWhole && index !== this.#whole && index !== this.#begun;
    this.#begun = isBegun ? index : undefined;
    // Docker has yet to make it anew for another range, or to end what it has begun: it makes it, and then gives it its address, and then sets it up.
    if (isBegun || (!isAddressed && addresses.some((one) => !holds(parseSubnet(own), one)))) {
      if (!isAddressed) await this.#lend(address);
      return undefined;
    }
    this.#whole = index;
    if (!isAddressed) await this.#host.ip("addr", "replace", placeOf(own), "brd", "+", "dev", this.#name);
    if (!isUp) await this.#host.ip("link", "set", this.#name, "up");
    await this.#takeBack(address);
    if (isWhole) return undefined;
    this.remade++;
    return isAddressed
      ? "somebody had set the pods' bridge down"
      : "somebody had taken the address of the pods' bridge";
  }

  /** The loopback's, if it has it. */
  async drop(own: string): Promise<void> {
    await this.#takeBack(gatewayOf(own));
  }

  async #without(own: string): Promise<string | undefined> {
    this.#begun = undefined;
    const cables = await this.#ports?.cables?.();
    // Between two steps of Docker's it is not there, either.
    if (cables === undefined || !this.#isMissed) {
      this.#isMissed = cables !== undefined;
      await this.#lend(gatewayOf(own));
      return undefined;
    }
    await this.#make(own, cables);
    this.remade++;
    return "somebody had taken the pods' bridge away";
  }

  /** As Docker makes it, which finds it by its name. */
  async #make(own: string, cables: readonly string[]): Promise<void> {
    await this.#host.ip("link", "add", this.#name, "type", "bridge");
    await this.#host.ip("addr", "replace", placeOf(own), "brd", "+", "dev", this.#name);
    await this.#host.ip("link", "set", this.#name, "up");
    const lines = cables.map((cable) => `link set ${cable} master ${this.#name} up`);
    await this.#host.write({ ip: lines, bridge: [] });
    await this.#takeBack(gatewayOf(own));
    this.#isMissed = false;
  }

  async #lend(address: string): Promise<void> {
    const isHeld = (await this.#host.addresses()).some(({ addr_info }) =>
      addr_info.some(({ local }) => local === address),
    );
    if (!isHeld) await this.#host.ip("addr", "add", `${address}/32`, "dev", LOOPBACK);
  }

  async #takeBack(address: string): Promise<void> {
    const loopback = await this.#host.device(LOOPBACK);
    if (loopback?.addresses.includes(address)) await this.#host.ip("addr", "del", `${address}/32`, "dev", LOOPBACK);
  }
}

function placeOf(own: string): string {
  const range = parseSubnet(own);
  if (range === undefined) throw new HostNetError(`${own} is no pod range`);
  return `${gatewayOf(own)}/${range.prefixLength}`;
}
