import { type Driver, DriverError, type RunRef } from "../drivers/driver.ts";
import type { DriverName } from "../model/pod.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import { GUARD_SHARE, type Lease } from "./fence.ts";
import { runKey } from "./run-key.ts";

export interface GuardHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly drivers: ReadonlyMap<DriverName, Driver>;
  /** Every run of an exclusive pod that is there or may be, and its driver. */
  exclusiveRuns(): readonly { readonly driver: DriverName; readonly ref: RunRef }[];
  lease(): Lease | undefined;
  /** Why this host cannot guard, in words, once that is known. */
  cannot(words: string): void;
}

/** The lease has to have moved so far for the guard to be set anew: it is set for much longer. */
const WORTH_RENEWING_MS = 900;

/**
 * Keeps what outlives the agent (Driver.guard) told until when exclusive pods may run here, so that they end also when
 * the agent is dead or stands still. One call at a time for each driver.
 */
export class Guard {
  readonly #host: GuardHost;
  /** What each driver was last told with success. */
  readonly #told = new Map<DriverName, { readonly refs: string; readonly untilMs: number }>();
  readonly #running = new Map<DriverName, Promise<void>>();
  /** Not begun yet: it will see the newest runs and the newest lease. */
  readonly #waiting = new Map<DriverName, Promise<void>>();
  readonly #unable = new Set<DriverName>();
  #hasTidied = false;
  #extendedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(host: GuardHost) {
    this.#host = host;
  }

  /** Before an exclusive run is started: resolves when it is watched over. Rejects with DriverError when that may work later. */
  async cover(driver: DriverName): Promise<void> {
    if (this.#untilMs() !== undefined) await this.#soon(driver);
  }

  /** After the lease was renewed, or runs came and went. */
  renew(): void {
    const untilMs = this.#untilMs() ?? 0;
    for (const driver of this.#guarded()) {
      const told = this.#told.get(driver);
      const isFresh = told !== undefined && untilMs - told.untilMs < WORTH_RENEWING_MS;
      if (!isFresh || told.refs !== textOf(this.#refsOf(driver))) void this.#quietly(driver);
    }
  }

  /** For an agent that goes, and is expected back: they may run until then without it. */
  async extend(untilMs: number): Promise<void> {
    this.#extendedUntilMs = untilMs;
    await Promise.all(this.#guarded().map((driver) => this.#quietly(driver)));
  }

  /** Undefined: nothing here is ever given away, or nobody has said for how long it may run. */
  #untilMs(): number | undefined {
    const lease = this.#host.lease();
    if (lease?.terms.exclusiveMs === undefined) return undefined;
    return Math.max(this.#extendedUntilMs, lease.sentAtMs + lease.terms.exclusiveMs * GUARD_SHARE);
  }

  #guarded(): readonly DriverName[] {
    const lease = this.#host.lease();
    if (lease === undefined) return [];
    const isLimited = lease.terms.exclusiveMs !== undefined;
    const needed = isLimited ? this.#host.exclusiveRuns().map(({ driver }) => driver) : [];
    // Once each: what an earlier agent asked for ends, if nothing of it runs any more.
    const left = isLimited && !this.#hasTidied ? this.#host.drivers.keys() : [];
    if (isLimited) this.#hasTidied = true;
    return [...new Set([...this.#told.keys(), ...needed, ...left])].toSorted();
  }

  #soon(driver: DriverName): Promise<void> {
    const waiting = this.#waiting.get(driver);
    if (waiting !== undefined || this.#unable.has(driver)) return waiting ?? Promise.resolve();
    const before = this.#running.get(driver) ?? Promise.resolve();
    const begin = () => {
      this.#waiting.delete(driver);
      const running = this.#call(driver);
      this.#running.set(driver, running);
      return running;
    };
    const mine = before.then(begin, begin);
    this.#waiting.set(driver, mine);
    return mine;
  }

  async #call(name: DriverName): Promise<void> {
    const driver = this.#host.drivers.get(name);
    const refs = this.#refsOf(name);
    const untilMs = this.#untilMs() ?? 0;
    if (driver?.guard === undefined) {
      if (refs.length > 0) this.#giveUp(name, "its driver cannot");
      return;
    }
    try {
      await driver.guard(refs, Math.max(0, untilMs - this.#host.clock.monotonic()));
      if (refs.length === 0) this.#told.delete(name);
      else this.#told.set(name, { refs: textOf(refs), untilMs });
    } catch (error) {
      if (!(error instanceof DriverError) || error.temporary) throw error;
      if (refs.length === 0) return;
      this.#giveUp(name, error.message);
    }
  }

  async #quietly(driver: DriverName): Promise<void> {
    try {
      await this.#soon(driver);
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      this.#host.log.warn("the guard of exclusive pods cannot be set now", { driver, why: error.message });
    }
  }

  #refsOf(driver: DriverName): readonly RunRef[] {
    if (this.#untilMs() === undefined) return [];
    const mine = this.#host.exclusiveRuns().filter((run) => run.driver === driver);
    return mine.map(({ ref }) => ref);
  }

  #giveUp(driver: DriverName, why: string): void {
    this.#unable.add(driver);
    this.#told.delete(driver);
    const words = `when the agent is dead, nothing ends its exclusive ${driver} pods before they are started elsewhere: ${why}`;
    this.#host.log.warn(words, {});
    this.#host.cannot(words);
  }
}

function textOf(refs: readonly RunRef[]): string {
  return refs.map(runKey).toSorted().join(" ");
}
