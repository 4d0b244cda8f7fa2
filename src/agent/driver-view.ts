import type { Driver, ObservedRun } from "../drivers/driver.ts";
import { AssertionFailure } from "../lib/assert.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { DriverReport } from "../model/node.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { DriverSeen } from "./seen.ts";

export interface DriverViewHost {
  readonly clock: Clock;
  readonly log: Log;
  changed(run: ObservedRun): void;
  /** All runs, as of a moment. */
  listed(runs: readonly ObservedRun[]): void;
  /** Called before a look at everything; what was there then and is not in the look is gone. */
  listing(): void;
  readinessChanged(): void;
}

const LIST_RETRY = { initialMs: 500, factor: 2, maxMs: 30_000 };

/** One driver as its agent sees it: whether it is ready, and whether all that it runs is known. */
export class DriverView {
  readonly driver: Driver;
  readonly #host: DriverViewHost;
  #report: DriverReport = { ready: false, reason: "not looked at yet" };
  #isListed = false;
  #isListing = false;
  #isStale = false;
  #isDescribing = false;
  #failures = 0;
  #answeredAtMs: number | undefined;
  #retry: Timer | undefined;

  constructor(driver: Driver, host: DriverViewHost) {
    this.driver = driver;
    this.#host = host;
  }

  get seen(): DriverSeen {
    return { ...this.#report, listed: this.#isListed };
  }

  /** When it last said that it is ready; undefined if it never was. */
  get answeredAtMs(): number | undefined {
    return this.#answeredAtMs;
  }

  get report(): DriverReport {
    return this.#report;
  }

  /** Watches from now on: before the first look, so that nothing falls between. */
  watch(signal: AbortSignal): void {
    this.driver.watch((change) => {
      if (signal.aborted) return;
      if (change === "lost") void this.list();
      else this.#host.changed(change);
    }, signal);
    signal.addEventListener("abort", () => this.#retry?.cancel(), { once: true });
  }

  /** Asks how it is; when it has become ready, looks at what it runs. */
  async describe(): Promise<void> {
    if (this.#isDescribing) return;
    this.#isDescribing = true;
    const before = this.#report;
    this.#report = await this.#describe();
    this.#isDescribing = false;
    if (this.#report.ready) this.#answeredAtMs = this.#host.clock.monotonic();
    if (!this.#report.ready) this.#isListed = false;
    else if (!this.#isListed) await this.list();
    const isSame = (["ready", "reason", "network"] as const).every((key) => before[key] === this.#report[key]);
    if (!isSame) this.#host.readinessChanged();
  }

  async #describe(): Promise<DriverReport> {
    try {
      return await this.driver.describe();
    } catch (error) {
      return { ready: false, reason: String(error instanceof Error ? error.message : error) };
    }
  }

  /** Looks at everything; while that fails nothing is taken as gone, and it is tried again. */
  async list(): Promise<void> {
    if (this.#isListing) {
      this.#isStale = true;
      return;
    }
    this.#isListing = true;
    this.#retry?.cancel();
    try {
      do {
        this.#isStale = false;
        this.#host.listing();
        const runs = await this.driver.list();
        this.#failures = 0;
        this.#isListed = true;
        this.#host.listed(runs);
      } while (this.#isStale);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isListing = false;
    }
  }

  #failed(error: unknown): void {
    if (error instanceof AssertionFailure) throw error;
    this.#failures++;
    this.#host.log.warn("a driver cannot say what it runs; nothing is assumed", {
      driver: this.driver.name,
      why: String(error),
    });
    this.#retry = this.#host.clock.setTimer(backoffMs(LIST_RETRY, this.#failures), () => void this.list());
  }
}
