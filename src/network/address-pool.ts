/**
 * Addresses of this node's pods. In memory: after a restart the agent claims what runs (`assign` with the address that the container's label
 * says), and only then gives new ones, so that nothing has to be written down.
 */
import { dynamicRangeOf, formatAddress, parseAddress, parseSubnet } from "../lib/subnet.ts";
import type { Random } from "../seams/random.ts";

export class AddressPool {
  readonly subnet: string;
  readonly #first: number;
  readonly #last: number;
  readonly #byPod = new Map<string, number>();
  readonly #podBy = new Map<number, string>();
  /** Where the search for the next begins: an address that was just given back is the last to be given again, while others remember it. */
  #next: number;
  /** Where it begins is not known any more: an agent before has given addresses, and taken some back. */
  #isLost = false;
  readonly #random: Pick<Random, "int"> | undefined;

  /**
   * `subnet`: 10.42.0.0/24, at least 64 addresses. Its first is the host's own, its last sixteenth the engine's to give. `random`: where the search
   * begins when something runs already.
   */
  constructor(subnet: string, random?: Pick<Random, "int">) {
    const range = parseSubnet(subnet);
    const tail = parseSubnet(dynamicRangeOf(subnet));
    if (!range || !tail) throw new RangeError(`${subnet} is no subnet`);
    this.subnet = subnet;
    this.#first = range.first + 2;
    this.#last = tail.first - 1;
    this.#next = this.#first;
    this.#random = random;
  }

  get capacity(): number {
    return this.#last - this.#first + 1;
  }

  /** The pod's address: the one it has, else `wanted` if that is free, else the next free one. Throws RangeError when there is none. */
  assign(podUid: string, wanted?: string): string {
    const held = this.#byPod.get(podUid);
    const value = held ?? this.#freeOr(wanted) ?? this.#search();
    this.#byPod.set(podUid, value);
    this.#podBy.set(value, podUid);
    return formatAddress(value);
  }

  release(podUid: string): void {
    const value = this.#byPod.get(podUid);
    if (value === undefined) return;
    this.#byPod.delete(podUid);
    this.#podBy.delete(value);
  }

  #freeOr(wanted: string | undefined): number | undefined {
    const value = wanted === undefined ? undefined : parseAddress(wanted);
    if (value === undefined || value < this.#first || value > this.#last || this.#podBy.has(value)) return undefined;
    this.#isLost ||= this.#next === this.#first;
    return value;
  }

  #search(): number {
    if (this.#isLost && this.#random) this.#next = this.#first + this.#random.int(this.capacity);
    this.#isLost = false;
    for (let step = 0; step < this.capacity; step++) {
      const value = this.#first + ((this.#next - this.#first + step) % this.capacity);
      if (this.#podBy.has(value)) continue;
      this.#next = value + 1;
      return value;
    }
    throw new RangeError(`all ${this.capacity} addresses of ${this.subnet} are in use`);
  }
}
