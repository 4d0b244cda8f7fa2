/** Addresses of this node's pods before it is known which they are: pods that run keep theirs, others wait. */
import type { Random } from "../seams/random.ts";
import { AddressPool } from "./address-pool.ts";

export class LateAddresses {
  #pool: AddressPool | undefined;
  /** By uid: every address in use, also of a range that is not this node's any more. */
  readonly #held = new Map<string, string>();
  /** Why there are none yet, in words. */
  #why = "this node has been given no pod range yet";
  #withheld: string | undefined;
  readonly #waiting = new Set<() => void>();
  readonly #random: Pick<Random, "int"> | undefined;

  /** As AddressPool. */
  constructor(random?: Pick<Random, "int">) {
    this.#random = random;
  }

  get range(): string | undefined {
    return this.#pool?.subnet;
  }

  get isFree(): boolean {
    return this.#held.size === 0;
  }

  /** New pods get addresses of this range from now on. */
  setRange(range: string): void {
    if (range === this.range) return;
    const pool = new AddressPool(range, this.#random);
    for (const [uid, address] of this.#held) if (pool.assign(uid, address) !== address) pool.release(uid);
    this.#pool = pool;
    this.#wake();
  }

  /** Why pods that come get no address now, though there is a range: those that have one keep it. */
  get withheld(): string | undefined {
    return this.#withheld;
  }

  withhold(words: string | undefined): void {
    this.#withheld = words;
    this.#wake();
  }

  whenReady(ready: () => void): () => void {
    this.#waiting.add(ready);
    this.#wake();
    return () => void this.#waiting.delete(ready);
  }

  setProblem(words: string): void {
    this.#why = words;
  }

  /** As AddressPool. What a pod has that runs is taken as it is; others are refused with RangeError until there is a range. */
  assign(podUid: string, wanted?: string): string {
    const held = this.#held.get(podUid);
    if (held !== undefined && (this.#pool === undefined || held === wanted)) return held;
    const address = this.#addressFor(podUid, wanted);
    if (address === undefined) throw new RangeError(this.#withheld ?? this.#why);
    this.#held.set(podUid, address);
    return address;
  }

  release(podUid: string): void {
    this.#held.delete(podUid);
    this.#pool?.release(podUid);
  }

  /** Withheld, only what a pod has already. */
  #addressFor(podUid: string, wanted: string | undefined): string | undefined {
    if (this.#withheld !== undefined && wanted === undefined) return undefined;
    return this.#pool?.assign(podUid, wanted) ?? wanted;
  }

  get #isReady(): boolean {
    return this.#pool !== undefined && this.#withheld === undefined;
  }

  #wake(): void {
    if (!this.#isReady) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const ready of waiting) ready();
  }
}
