import { setTimeout as delay } from "node:timers/promises";
import type { ExecRequest, ExecSession } from "../../model/streams.ts";
import { DriverError } from "../driver.ts";
import { openExecSession } from "./exec-session.ts";
import { uptimeMs } from "./guards.ts";
import type { ExecSpec, Keeper, ProcessInfo, ProcessSpec } from "./keeper.ts";
import { ConnectionLost, KeeperConnection } from "./keeper-connection.ts";
import { type CallName, KEEPER_PROTOCOL, type KeeperCalls } from "./protocol.ts";
import { type KeeperPlace, keeperPid, openConnection, startKeeper, unreachableKeeper } from "./start-keeper.ts";

const RECONNECT_MS = 500;

/** What changes nothing. */
const QUESTIONS: readonly CallName[] = ["hello", "list", "cgroupPids", "guard"];

type WatchListener = (info: ProcessInfo | "lost") => void;

/**
 * The keeper as styr uses it: connects when asked something, starts a keeper when there is none, and asks again when the
 * connection broke (every call is idempotent).
 */
export class KeeperClient implements Keeper {
  readonly #place: KeeperPlace;
  readonly #listeners = new Set<WatchListener>();
  #connecting: Promise<KeeperConnection> | undefined;
  #current: KeeperConnection | undefined;
  #listing: Promise<readonly ProcessInfo[]> | undefined;
  #isClosed = false;

  constructor(place: KeeperPlace) {
    this.#place = place;
  }

  spawn(spec: ProcessSpec): Promise<ProcessInfo> {
    return this.#call("spawn", spec);
  }

  async list(prefix?: string): Promise<readonly ProcessInfo[]> {
    if (prefix === undefined) return this.#listAll();
    return (await this.#call("list", { prefix })).filter(({ id }) => id.startsWith(prefix));
  }

  async get(id: string): Promise<ProcessInfo | undefined> {
    return (await this.#call("list", { id })).find((info) => info.id === id);
  }

  async signal(id: string, signal: number): Promise<void> {
    await this.#call("signal", { id, signal });
  }

  async signalCgroup(cgroup: string, signal: number): Promise<void> {
    await this.#call("signalCgroup", { cgroup, signal });
  }

  cgroupPids(cgroup: string): Promise<readonly number[]> {
    return this.#call("cgroupPids", { cgroup });
  }

  async removeCgroup(cgroup: string): Promise<void> {
    await this.#call("removeCgroup", { cgroup });
  }

  async forget(id: string): Promise<void> {
    await this.#call("forget", { id });
  }

  async guard(owner: string, cgroups: readonly string[], forMs: number): Promise<void> {
    await this.#call("guard", { owner, cgroups, atUptimeMs: uptimeMs() + forMs });
  }

  watch(listener: WatchListener, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
    // A watch begins with a list: what happened before is not told.
    if (this.#current?.isOpen) queueMicrotask(() => this.#listeners.has(listener) && listener("lost"));
    void this.#keepConnected();
  }

  async exec(spec: ExecSpec, request: Omit<ExecRequest, "command">): Promise<ExecSession> {
    await this.pid();
    const socket = await openConnection(this.#place.stateDir);
    if (!socket) throw unreachableKeeper("it has just ended");
    return openExecSession(socket, spec, request);
  }

  async pid(): Promise<number> {
    return (await this.#call("hello", null)).pid;
  }

  /** Ends the keeper; DriverError while anything it started still runs. What is left of its cgroups is the caller's to remove. */
  async shutdown(): Promise<void> {
    const socket = await openConnection(this.#place.stateDir);
    if (!socket) return;
    const closed = Promise.withResolvers<void>();
    const connection = new KeeperConnection(socket, {
      onChange: () => undefined,
      onClose: closed.resolve,
      pid: () => this.#pid(),
    });
    // Before the keeper ends, so that nobody who watches starts another.
    this.#isClosed = true;
    try {
      await connection.call("shutdown", null);
    } catch (error) {
      this.#isClosed = false;
      connection.close();
      throw error;
    }
    await closed.promise;
  }

  /** Lets go of the keeper, which goes on. */
  close(): void {
    this.#isClosed = true;
    this.#current?.close();
  }

  /** One list answers all who ask while it is on its way, unless something has changed since it was asked for. */
  #listAll(): Promise<readonly ProcessInfo[]> {
    const listing =
      this.#listing ??
      this.#call("list", null).finally(() => {
        if (this.#listing === listing) this.#listing = undefined;
      });
    this.#listing = listing;
    return listing;
  }

  #pid(): string {
    return keeperPid(this.#place.stateDir);
  }

  async #call<Name extends CallName>(
    call: Name,
    args: KeeperCalls[Name]["args"],
  ): Promise<KeeperCalls[Name]["result"]> {
    if (!QUESTIONS.includes(call)) this.#listing = undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        const connection = await this.#connection();
        return await connection.call(call, args);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        if (attempt >= 3) throw unreachableKeeper(error.message, error);
      }
    }
  }

  #connection(): Promise<KeeperConnection> {
    if (this.#current?.isOpen) return Promise.resolve(this.#current);
    if (this.#isClosed) return Promise.reject(unreachableKeeper("this client was closed"));
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #open(): Promise<KeeperConnection> {
    await startKeeper(this.#place);
    const socket = await openConnection(this.#place.stateDir);
    if (!socket) throw unreachableKeeper("it ended as soon as it had started");
    const connection = new KeeperConnection(socket, {
      onChange: (info) => this.#tell(info),
      onClose: () => this.#closed(),
      pid: () => this.#pid(),
    });
    try {
      await greet(connection);
    } catch (error) {
      connection.close();
      throw error;
    }
    this.#current = connection;
    this.#tell("lost");
    return connection;
  }

  #closed(): void {
    this.#current = undefined;
    this.#tell("lost");
    void this.#keepConnected();
  }

  /** As long as somebody watches. A keeper that died is started again here, and reports what ended meanwhile. */
  async #keepConnected(): Promise<void> {
    while (!this.#isClosed && this.#listeners.size > 0 && !this.#current?.isOpen) {
      try {
        await this.#connection();
      } catch (error) {
        if (!(error instanceof DriverError) && !(error instanceof ConnectionLost)) throw error;
        await delay(RECONNECT_MS);
      }
    }
  }

  #tell(change: ProcessInfo | "lost"): void {
    this.#listing = undefined;
    for (const listener of this.#listeners) listener(change);
  }
}

async function greet(connection: KeeperConnection): Promise<void> {
  const { protocol } = await connection.call("hello", null);
  if (protocol !== KEEPER_PROTOCOL)
    throw unreachableKeeper(`the one that runs speaks version ${protocol}, this program ${KEEPER_PROTOCOL}`);
  await connection.call("subscribe", null);
}
