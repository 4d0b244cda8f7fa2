/** The network between hosts: what is sent takes time, and may be lost, doubled, or overtaken; cuts are one-way or both. */
import type { Random } from "../seams/random.ts";
import type { NetworkQuality, SimNetwork } from "./contract.ts";
import type { HostTime } from "./sim-clock.ts";
import { Life } from "./sim-time.ts";

/** A host as the network knows it. */
export interface Station {
  readonly name: string;
  readonly time: HostTime;
  /** Of the present boot; undefined while it has no power. */
  readonly boot: Life | undefined;
}

const PERFECT: NetworkQuality = { delayMs: [0.5, 1.5], loss: 0, duplicate: 0, reorder: 0 };
/** What is retried below us (a connection's first packet) comes so much later for every loss. */
const RETRY_MS = 1_000;
/** An overtaken frame comes up to so much later than it would have. */
const OVERTAKEN_MS = 200;
/** For the timers of who gets a frame: the host lives at that moment, or nothing arrives. */
const WIRE = new Life("the wire");

/** Frames of one direction of one conversation keep their order, unless the network is told to disturb it. */
export interface Lane {
  lastAtMs: number;
}

export class Wires implements SimNetwork {
  readonly #random: Random;
  readonly #stations = new Map<string, Station>();
  readonly #cuts = new Set<string>();
  readonly #told: (text: string) => void;
  #quality = PERFECT;

  /** `told`: of everything that a scenario does to the network. */
  constructor(random: Random, told: (text: string) => void) {
    this.#random = random;
    this.#told = told;
  }

  add(station: Station): void {
    this.#stations.set(station.name, station);
  }

  cut(from: string, to: string, oneWay = false): void {
    this.#cuts.add(`${from}>${to}`);
    if (!oneWay) this.#cuts.add(`${to}>${from}`);
    this.#told(`cut ${from} ${oneWay ? "->" : "<->"} ${to}`);
  }

  join(from: string, to: string): void {
    this.#cuts.delete(`${from}>${to}`);
    this.#cuts.delete(`${to}>${from}`);
    this.#told(`join ${from} <-> ${to}`);
  }

  heal(): void {
    this.#cuts.clear();
    this.#quality = PERFECT;
    this.#told("the network is whole");
  }

  setQuality(quality: NetworkQuality): void {
    this.#quality = quality;
    const { delayMs, loss, duplicate, reorder } = quality;
    this.#told(`network: ${delayMs.join("-")} ms, loss ${loss}, duplicate ${duplicate}, reorder ${reorder}`);
  }

  /** Whether what `from` sends now gets to `to` at all. */
  reaches(from: string, to: string): boolean {
    return (
      !this.#cuts.has(`${from}>${to}`) && this.#station(from).boot !== undefined && this.#station(to).boot !== undefined
    );
  }

  /** One frame; `arrive` is called on the other host, once, twice or never. */
  send(from: string, to: string, lane: Lane, arrive: () => void): void {
    if (!this.reaches(from, to)) return;
    const { loss, duplicate } = this.#quality;
    if (loss > 0 && this.#random.next() < loss) return;
    this.#carry(from, to, lane, arrive);
    if (duplicate > 0 && this.#random.next() < duplicate) this.#carry(from, to, lane, arrive);
  }

  /** A packet of the hosts' kernels, sent again when it is lost; a cut swallows it. */
  signal(from: string, to: string, lane: Lane, arrive: () => void): void {
    if (!this.reaches(from, to)) return;
    const { loss } = this.#quality;
    let delayMs = 0;
    while (loss > 0 && this.#random.next() < loss && delayMs < 10 * RETRY_MS) delayMs += RETRY_MS;
    this.#carry(from, to, lane, arrive, delayMs);
  }

  #carry(from: string, to: string, lane: Lane, arrive: () => void, extraMs = 0): void {
    const target = this.#station(to);
    const { boot } = target;
    const now = target.time.world;
    const { delayMs, reorder } = this.#quality;
    const [least, most] = delayMs;
    let atMs = now + extraMs + least + this.#random.next() * (most - least);
    if (reorder > 0 && this.#random.next() < reorder) atMs += this.#random.next() * OVERTAKEN_MS;
    else {
      atMs = Math.max(atMs, lane.lastAtMs);
      lane.lastAtMs = atMs;
    }
    const land = () => {
      if (target.boot === boot && this.reaches(from, to)) arrive();
    };
    target.time.at(atMs, land, WIRE);
  }

  #station(name: string): Station {
    const station = this.#stations.get(name);
    if (!station) throw new RangeError(`there is no host "${name}"`);
    return station;
  }
}
