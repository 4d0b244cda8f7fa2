import type { Driver, ObservedRun } from "../drivers/driver.ts";
import type { DriverName } from "../model/pod.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Addresses } from "./addresses.ts";
import { runKey } from "./run-key.ts";
import { removeRuns } from "./sweep.ts";
import type { Volumes } from "./volumes.ts";

export interface StrangersOptions {
  readonly drivers: ReadonlyMap<DriverName, Driver>;
  readonly volumes: Volumes;
  readonly addresses?: Addresses;
  readonly clock: Clock;
  readonly log: Log;
  isKnown(podUid: string): boolean;
  /** The assignments are known, and what is not among them is not wanted. */
  maySweep(): boolean;
}

const GRACE_MS = 30_000;
const AGAIN_MS = 30_000;

/** Runs of ours whose pod this agent does not know. They are left alone until the control plane has said what is assigned. */
export class Strangers {
  readonly #options: StrangersOptions;
  readonly #runs = new Map<string, { readonly driver: Driver; readonly run: ObservedRun }>();
  #isSweeping = false;
  #again: Timer | undefined;

  constructor(options: StrangersOptions) {
    this.#options = options;
  }

  note(driver: Driver, run: ObservedRun): void {
    this.#runs.set(runKey(run.ref), { driver, run });
  }

  /** What is known of a pod that has turned out to be assigned, oldest first. */
  take(podUid: string): readonly ObservedRun[] {
    const mine = [...this.#runs].filter(([, { run }]) => run.ref.podUid === podUid);
    for (const [key] of mine) this.#runs.delete(key);
    return mine.map(([, { run }]) => run).toSorted((a, b) => a.ref.attempt - b.ref.attempt);
  }

  /** Pods that nobody here knows, of which there are runs. */
  get pods(): readonly string[] {
    const uids = [...this.#runs.values()].map(({ run }) => run.ref.podUid);
    return [...new Set(uids)].filter((uid) => !this.#options.isKnown(uid)).toSorted();
  }

  /** Removes what belongs to nobody. Only after the assignments are known. */
  async sweep(): Promise<void> {
    if (this.#isSweeping || !this.#options.maySweep()) return;
    this.#isSweeping = true;
    try {
      for (const driver of this.#options.drivers.values()) await this.#sweepOf(driver);
      await this.#sweepVolumes();
    } catch (error) {
      this.#options.log.warn("what belongs to nobody could not all be removed", { why: String(error) });
      this.#soonAgain();
    } finally {
      this.#isSweeping = false;
    }
  }

  async #sweepOf(driver: Driver): Promise<void> {
    const { log, isKnown } = this.#options;
    const mine = [...this.#runs.values()].filter((each) => each.driver === driver).map(({ run }) => run);
    const runs = mine.filter(({ ref }) => !isKnown(ref.podUid));
    for (const { ref } of runs)
      log.info("removing a run that nobody wants", { driver: driver.name, pod: ref.podUid, container: ref.container });
    const failures = await removeRuns(driver, runs, GRACE_MS, log, ({ ref }) => {
      this.#runs.delete(runKey(ref));
    });
    if (failures > 0) return this.#soonAgain();
    if (!(await driver.describe()).ready) return;
    for (const uid of await driver.pods()) if (!isKnown(uid)) await driver.release(uid);
  }

  async #sweepVolumes(): Promise<void> {
    const { volumes, addresses, isKnown } = this.#options;
    for (const uid of await volumes.pods()) {
      if (isKnown(uid)) continue;
      await volumes.remove(uid);
      addresses?.release(uid);
    }
  }

  #soonAgain(): void {
    this.#again?.cancel();
    this.#again = this.#options.clock.setTimer(AGAIN_MS, () => void this.sweep());
  }
}
