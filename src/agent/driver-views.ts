import type { Driver, ObservedRun } from "../drivers/driver.ts";
import type { DriverReport } from "../model/node.ts";
import type { DriverName } from "../model/pod.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import { DriverView } from "./driver-view.ts";
import { driversAtMs } from "./drivers-at.ts";
import type { Signs } from "./heartbeat/health.ts";
import type { PodWorkers } from "./pod-workers.ts";
import { runKey } from "./run-key.ts";
import type { DriverSeen } from "./seen.ts";
import type { Strangers } from "./strangers.ts";

export interface DriverViewsHost {
  readonly drivers: ReadonlyMap<DriverName, Driver>;
  readonly clock: Clock;
  readonly log: Log;
  readonly workers: PodWorkers;
  readonly strangers: Strangers;
}

/** This node's drivers: what each of them says of a run goes to the worker of its pod, or to the strangers. */
export class DriverViews {
  readonly #host: DriverViewsHost;
  readonly #views: ReadonlyMap<DriverName, DriverView>;

  constructor(host: DriverViewsHost) {
    this.#host = host;
    this.#views = new Map([...host.drivers].map(([name, driver]) => [name, this.#viewOf(driver)] as const));
  }

  get seen(): Readonly<Partial<Record<DriverName, DriverSeen>>> {
    return Object.fromEntries([...this.#views].map(([name, view]) => [name, view.seen]));
  }

  get reports(): Readonly<Partial<Record<DriverName, DriverReport>>> {
    return Object.fromEntries([...this.#views].map(([name, view]) => [name, view.report]));
  }

  /** When they last answered. */
  get atMs(): Pick<Signs, "engineAtMs" | "keeperAtMs"> {
    return driversAtMs(this.#views);
  }

  watch(signal: AbortSignal): void {
    for (const view of this.#views.values()) view.watch(signal);
  }

  /** Asks each how it is. */
  async describe(): Promise<void> {
    await Promise.all([...this.#views.values()].map((view) => view.describe()));
  }

  #viewOf(driver: Driver): DriverView {
    const { clock, log, workers } = this.#host;
    let started: ReadonlySet<string> = new Set();
    return new DriverView(driver, {
      clock,
      log,
      changed: (run) => this.#observe(driver, run),
      listing: () => {
        started = workers.started;
      },
      listed: (runs) => this.#listed(driver, runs, started),
      readinessChanged: () => workers.wake(),
    });
  }

  #observe(driver: Driver, run: ObservedRun): void {
    const worker = this.#host.workers.of(run.ref.podUid);
    if (worker) worker.observe(run);
    else this.#host.strangers.note(driver, run);
  }

  #listed(driver: Driver, runs: readonly ObservedRun[], started: ReadonlySet<string>): void {
    const found = new Set(runs.map(({ ref }) => runKey(ref)));
    for (const run of runs.toSorted((a, b) => a.ref.attempt - b.ref.attempt)) this.#observe(driver, run);
    this.#host.workers.lookedAt(
      driver.name,
      (ref) => found.has(runKey(ref)),
      (ref) => started.has(runKey(ref)),
    );
    void this.#host.strangers.sweep();
  }
}
