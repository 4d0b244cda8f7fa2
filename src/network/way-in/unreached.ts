/**
 * Copies that take no connections from this host: a NetworkPolicy that does not let it in, a firewall, a program that does not listen. Ready
 * they are all the same, and a request that is given to one waits before it is given to another. HAProxy's counts say at which connects
 * fail; each is then tried from here, again and again until it takes one, so that no request has to.
 */
import type { Clock } from "../../seams/clock.ts";
import type { Knock } from "../pod-network/tcp-ping.ts";
import type { BackendStats, ServerCounts } from "./stats.ts";

/** More than HAProxy waits (render.ts): what is late there is not yet gone. */
const ANSWER_MS = 2_000;
/** At a time; those that were tried longest ago first. */
const MOST_TRIES = 200;

export interface UnreachedOptions {
  readonly clock: Clock;
  readonly knock: Knock;
}

export class Unreached {
  readonly #options: UnreachedOptions;
  /** `address:port` → what came of it, in words. The first was tried longest ago. */
  readonly #places = new Map<string, string>();
  readonly #suspects = new Set<string>();
  /** Backend → connects that had failed. */
  #failures: ReadonlyMap<string, number> = new Map();
  /** Backend → its servers as they were counted last. */
  readonly #counted = new Map<string, ReadonlyMap<string, ServerCounts>>();

  constructor(options: UnreachedOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#places.size;
  }

  /** What came of a connection from here to one that takes none; undefined of every other. */
  whyNot({ address, port }: { readonly address: string; readonly port: number }): string | undefined {
    return this.#places.get(`${address}:${port}`);
  }

  /** Backends at whose servers connects have failed since they were told here last: their servers are worth a look. */
  failing(all: readonly BackendStats[]): readonly string[] {
    const now = new Map(all.map((each) => [each.name, each.connectErrors + each.retries + each.redispatches]));
    const found = [...now].flatMap(([name, failures]) =>
      failures > 0 && failures !== this.#failures.get(name) ? name : [],
    );
    this.#failures = now;
    return found;
  }

  /** The servers of a backend at some of which connects fail. One that answers meanwhile is slow, and not closed. */
  hear(backend: string, servers: readonly ServerCounts[]): void {
    const before = this.#counted.get(backend);
    this.#counted.set(backend, new Map(servers.map((server) => [server.name, server])));
    for (const { name, place, failed, answered } of servers) {
      // Counts begin anew with each worker.
      const old = before?.get(name);
      const isSame = old !== undefined && old.place === place && old.failed <= failed && old.answered <= answered;
      const hasFailed = failed > (isSame ? old.failed : 0);
      const hasAnswered = isSame && answered > old.answered;
      if (hasFailed && !hasAnswered) this.#suspects.add(place);
    }
  }

  /** What is no copy any more is not tried any more. */
  keep(present: { readonly closed: ReadonlySet<string>; has(backend: string): boolean }): void {
    const { closed } = present;
    for (const place of this.#places.keys()) if (!closed.has(place)) this.#places.delete(place);
    for (const name of this.#counted.keys()) if (!present.has(name)) this.#counted.delete(name);
  }

  /** Places of which something else is true than before. */
  async tryAgain(): Promise<ReadonlySet<string>> {
    const tried = [...new Set([...this.#suspects, ...this.#places.keys()])].slice(0, MOST_TRIES);
    this.#suspects.clear();
    const found = await Promise.all(tried.map(async (place) => [place, await this.#tryOne(place)] as const));
    const others = new Set<string>();
    for (const [place, words] of found) {
      if ((words === undefined) !== (this.#places.get(place) === undefined)) others.add(place);
      this.#places.delete(place);
      if (words !== undefined) this.#places.set(place, words);
    }
    return others;
  }

  async #tryOne(place: string): Promise<string | undefined> {
    const { clock, knock } = this.#options;
    const [to = "", port] = place.split(":");
    const ended = new AbortController();
    const timer = clock.setTimer(ANSWER_MS, () => ended.abort());
    try {
      const found = await knock({ to, port: Number(port) }, ended.signal);
      if (found === "open") return undefined;
      return found === "ECONNREFUSED" ? "refused" : (found ?? "no answer");
    } finally {
      timer.cancel();
    }
  }
}
