/**
 * Who is answered, and how often: pods, the host itself, and containers behind the host's own bridges. Anybody else could use a server
 * that answers everybody to flood others (an open resolver).
 */
import { readdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { holds, parseAddress, parseSubnet, type Subnet } from "../../../lib/subnet.ts";
import { type BucketRules, TokenBucket } from "../../../lib/token-bucket.ts";
import type { Clock } from "../../../seams/clock.ts";

/** Clients remembered at once; beyond it those are forgotten that have rested. */
const MOST_CLIENTS = 4096;
const LOOK_MS = 5000;
const LOOK_AGAIN_MS = 200;
const LOOPBACK = 127;

export interface GateOptions {
  readonly clock: Clock;
  readonly rules: BucketRules;
  readonly podRanges: () => readonly Subnet[];
  /** What is on this host; for tests. */
  readonly hostRanges?: () => readonly Subnet[];
}

export class ClientGate {
  readonly #options: GateOptions;
  readonly #buckets = new Map<string, TokenBucket>();
  #host: readonly Subnet[] = [];
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  admits(source: string): boolean {
    const address = parseAddress(source);
    if (address === undefined) return source === "::1";
    if (Math.floor(address / 2 ** 24) === LOOPBACK) return true;
    const isIn = (range: Subnet) => holds(range, address);
    if (this.#options.podRanges().some(isIn) || this.#hostRanges(LOOK_MS).some(isIn)) return true;
    // A bridge appears among the addresses when its first container starts, and that one asks at once.
    return this.#hostRanges(LOOK_AGAIN_MS).some(isIn);
  }

  /** Whether this client may ask once more now. */
  take(source: string): boolean {
    const { clock, rules } = this.#options;
    const nowMs = clock.monotonic();
    let bucket = this.#buckets.get(source);
    if (!bucket) {
      if (this.#buckets.size >= MOST_CLIENTS) this.#forget(nowMs);
      if (this.#buckets.size >= MOST_CLIENTS) return false;
      bucket = new TokenBucket(rules, nowMs);
      this.#buckets.set(source, bucket);
    }
    return bucket.take(rules, nowMs);
  }

  #forget(nowMs: number): void {
    for (const [source, bucket] of this.#buckets)
      if (bucket.isFull(this.#options.rules, nowMs)) this.#buckets.delete(source);
  }

  #hostRanges(ageMs: number): readonly Subnet[] {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs - this.#lookedAtMs > ageMs) {
      this.#lookedAtMs = nowMs;
      this.#host = (this.#options.hostRanges ?? hostRanges)();
    }
    return this.#host;
  }
}

/** The host's own addresses, and all of the ranges behind bridges that no hardware is part of. */
function hostRanges(): readonly Subnet[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) => {
    const isInner = isInnerBridge(name);
    return addresses.flatMap(({ family, address, cidr }) => {
      if (family !== "IPv4") return [];
      const own = parseSubnet(`${address}/32`);
      const range = isInner && cidr !== null ? rangeOf(address, cidr) : undefined;
      return range ?? own ?? [];
    });
  });
}

function rangeOf(address: string, cidr: string): Subnet | undefined {
  const length = Number(cidr.split("/")[1]);
  const number = parseAddress(address);
  if (number === undefined || !(length >= 8 && length <= 32)) return undefined;
  const size = 2 ** (32 - length);
  const first = Math.floor(number / size) * size;
  return { text: cidr, first, last: first + size - 1, prefixLength: length };
}

function isInnerBridge(name: string): boolean {
  const members = entriesOf(`/sys/class/net/${name}/brif`);
  return members !== undefined && !members.some((member) => entriesOf(`/sys/class/net/${member}/device`) !== undefined);
}

/** Undefined: there is no such folder, which is what is asked. */
function entriesOf(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
