import { ApiError } from "../model/errors.ts";
import type { ServerRow } from "../model/reports.ts";
import { type Server, servers } from "../model/server.ts";
import { type Clock, rfc3339 } from "../seams/clock.ts";
import type { Store } from "../store/store.ts";
import type { Tx } from "../store/transaction.ts";

/** What a server says of itself, every few seconds, to the one that leads. */
export interface ServerSign {
  readonly url: string;
  readonly version: string;
  /** As far as it has followed. */
  readonly revision: number;
}

export interface ServerDeskOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Of this server. */
  readonly name: string;
  /** Since when this server leads; undefined while it follows. */
  leadsSinceMs(): number | undefined;
}

interface Heard {
  readonly sign: ServerSign;
  readonly atMs: number;
  /** The leader's own revision at that moment. */
  readonly ours: number;
}

/** A server that was not heard for so long does not run, or is cut off. */
export const SILENT_MS = 10_000;

/** The servers of the cluster: those in the store, and what the leader has heard of them of late. */
export class ServerDesk {
  readonly #options: ServerDeskOptions;
  readonly #heard = new Map<string, Heard>();
  /** Those that said that they stop. */
  readonly #left = new Set<string>();

  constructor(options: ServerDeskOptions) {
    this.#options = options;
  }

  /** Registers it where it is new or has changed. */
  async sign(name: string, sign: ServerSign): Promise<void> {
    const { store, clock } = this.#options;
    this.#refuseDouble(name, sign.url);
    this.#heard.set(name, { sign, atMs: clock.monotonic(), ours: store.revision });
    this.#left.delete(name);
    const known = store.get(servers, name)?.spec;
    if (known?.url === sign.url && known.version === sign.version) return;
    await store.update((tx) => register(tx, name, sign));
  }

  /** It stops: nobody has to wait until its silence is long enough. */
  signOff(name: string): void {
    this.#heard.delete(name);
    this.#left.add(name);
  }

  /** Two hosts of one name would take the place from each other for ever. */
  #refuseDouble(name: string, url: string): void {
    const there = this.#heard.get(name)?.sign.url;
    if (there === undefined || there === url || this.#silentMs(name) >= SILENT_MS) return;
    throw new ApiError(
      "Conflict",
      `a server named "${name}" runs already, at ${there}; give this one a name of its own: --node-name`,
    );
  }

  isHeard(name: string): boolean {
    return name === this.#options.name || !this.#isSilent(name);
  }

  forget(tx: Tx, name: string): void {
    tx.remove(servers, name);
    this.#heard.delete(name);
    this.#left.delete(name);
  }

  rows(): readonly ServerRow[] {
    return this.#options.store.list(servers).map((server) => this.#row(server));
  }

  #row({ metadata, spec }: Server): ServerRow {
    const { name } = metadata;
    const { url, version } = spec;
    const sinceMs = name === this.#options.name ? this.#options.leadsSinceMs() : undefined;
    if (sinceMs !== undefined) return { name, url, version, state: "leads", since: rfc3339(sinceMs) };
    if (this.#options.leadsSinceMs() === undefined) {
      // Nobody tells it anything; but that this one runs, its answer shows.
      return { name, url, version, state: name === this.#options.name ? "follows" : "unknown" };
    }
    const heard = this.#heard.get(name);
    const silentMs = this.#silentMs(name);
    if (!heard) return { name, url, version, state: this.#isSilent(name) ? "silent" : "unknown" };
    const state = this.#isSilent(name) ? "silent" : "follows";
    const behind = Math.max(0, heard.ours - heard.sign.revision);
    return { name, url, version, state, heardAgoMs: Math.round(silentMs), behind };
  }

  #isSilent(name: string): boolean {
    return this.#left.has(name) || this.#silentMs(name) >= SILENT_MS;
  }

  /** A leader that has just begun has heard nobody yet. */
  #silentMs(name: string): number {
    const { clock, leadsSinceMs } = this.#options;
    const heard = this.#heard.get(name);
    return heard ? clock.monotonic() - heard.atMs : clock.now() - (leadsSinceMs() ?? clock.now());
  }
}

function register(tx: Tx, name: string, { url, version }: ServerSign): void {
  const before = tx.get(servers, name);
  const spec = { url, version };
  if (before) tx.update<Server>(servers, { ...before, spec });
  else tx.create<Server>(servers, { apiVersion: servers.apiVersion, kind: "Server", metadata: { name }, spec });
}
