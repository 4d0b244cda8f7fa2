/** The resolvers of the host, to which all other names are passed on. Read again when they change; never ourselves. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { isIPv4 } from "node:net";
import type { Clock, Timer } from "../../../seams/clock.ts";
import type { Random } from "../../../seams/random.ts";
import { parseResolvConf } from "../resolv-conf.ts";

/** systemd-resolved's stub answers only the host; whom it asks stands here. */
const RESOLVED_STUBS = ["127.0.0.53", "127.0.0.54"];
const RESOLVED_LIST = "/run/systemd/resolve/resolv.conf";
const LOOK_MS = 2000;
const LOOP_AGAIN_MS = 30_000;
/** One that did not answer is asked last for so long. */
const REST_MS = 10_000;
const MOST = 8;
/** One packet may be lost. */
const IN_VAIN = 2;
/** RFC 6761: no name ends so. */
const LOOP_ZONE = "loop.styrmann.invalid";

export interface UpstreamsOptions {
  readonly resolvConf: string;
  /** Our own address, which may stand there too. */
  readonly self: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Asks this server for a name that only a loop brings back. */
  readonly probe: (server: string, name: string) => void;
}

export class Upstreams {
  readonly #options: UpstreamsOptions;
  readonly #restingUntilMs = new Map<string, number>();
  /** By the name that it was asked for. */
  readonly #asked = new Map<string, string>();
  readonly #loops = new Set<string>();
  /** How often in turn each was asked in vain. */
  readonly #silent = new Map<string, number>();
  #list: readonly string[] = [];
  #seen = "";
  #probedAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(options: UpstreamsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#look();
    this.#timer = this.#options.clock.setTimer(LOOK_MS, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** In the order in which they are to be asked. */
  get servers(): readonly string[] {
    const nowMs = this.#options.clock.monotonic();
    const usable = this.#list.filter((server) => !this.#loops.has(server));
    const isResting = (server: string) => (this.#restingUntilMs.get(server) ?? 0) > nowMs;
    return [...usable.filter((server) => !isResting(server)), ...usable.filter(isResting)];
  }

  get problem(): string | undefined {
    if (this.#loops.size > 0) return `${[...this.#loops].sort().join(", ")} asks this server in turn: names go round`;
    if (this.#list.length === 0) return `${this.#options.resolvConf} names no other resolver`;
    if (this.#list.some((server) => (this.#silent.get(server) ?? 0) < IN_VAIN)) return undefined;
    const none =
      this.#list.length === 1 ? `${this.#list[0]} does not answer` : `none of ${this.#list.join(", ")} answers`;
    return `${none}: names outside of the cluster are not found (see ${this.#options.resolvConf})`;
  }

  failed(server: string): void {
    this.#silent.set(server, (this.#silent.get(server) ?? 0) + 1);
    this.#restingUntilMs.set(server, this.#options.clock.monotonic() + REST_MS);
  }

  succeeded(server: string): void {
    this.#silent.delete(server);
    this.#restingUntilMs.delete(server);
  }

  /** A question that we asked ourselves has come back. */
  hearsItself(name: string): boolean {
    if (!name.endsWith(LOOP_ZONE)) return false;
    const server = this.#asked.get(name);
    if (server !== undefined) this.#loops.add(server);
    return true;
  }

  #look(): void {
    const path = this.#path();
    const seen = path === undefined ? "" : markOf(path);
    const isNew = seen !== this.#seen;
    if (isNew && path !== undefined) this.#read(path);
    this.#seen = seen;
    const nowMs = this.#options.clock.monotonic();
    if (isNew || nowMs - this.#probedAtMs > LOOP_AGAIN_MS) this.#probe(nowMs);
  }

  #path(): string | undefined {
    const { resolvConf } = this.#options;
    if (!existsSync(resolvConf)) return undefined;
    const { nameservers } = parseResolvConf(readFileSync(resolvConf, "utf8"));
    const others = nameservers.filter((server) => server !== this.#options.self);
    const isStub = others.length > 0 && others.every((server) => RESOLVED_STUBS.includes(server));
    return isStub && existsSync(RESOLVED_LIST) ? RESOLVED_LIST : resolvConf;
  }

  #read(path: string): void {
    const { nameservers } = parseResolvConf(readFileSync(path, "utf8"));
    const others = nameservers.filter((server) => server !== this.#options.self);
    this.#list = [...new Set(others)].slice(0, MOST);
    this.#loops.clear();
    this.#restingUntilMs.clear();
    this.#silent.clear();
  }

  #probe(nowMs: number): void {
    this.#probedAtMs = nowMs;
    this.#asked.clear();
    for (const server of this.#list.filter(isIPv4)) {
      const name = `${this.#options.random.suffix(20)}.${LOOP_ZONE}`;
      this.#asked.set(name, server);
      this.#options.probe(server, name);
    }
    // Looked at again: what it asks may have been put right.
    this.#loops.clear();
  }
}

function markOf(path: string): string {
  const { ino, size, mtimeMs } = statSync(path);
  return `${path} ${ino} ${size} ${mtimeMs}`;
}
