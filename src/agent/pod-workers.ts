import type { RunRef } from "../drivers/driver.ts";
import type { DriverName, Pod } from "../model/pod.ts";
import { isExclusive } from "../model/when-unreachable.ts";
import type { PodWorker } from "./pod-worker.ts";
import { runKey } from "./run-key.ts";

/** The workers of all pods on this node, by uid. */
export class PodWorkers {
  readonly #workers = new Map<string, PodWorker>();

  get size(): number {
    return this.#workers.size;
  }

  get all(): readonly PodWorker[] {
    return [...this.#workers.values()];
  }

  /** Of pods of which there may be one only. */
  get exclusive(): readonly PodWorker[] {
    return this.all.filter(({ pod }) => isExclusive(pod));
  }

  /** How many take room here. */
  get holding(): number {
    return this.all.filter(({ isHolding }) => isHolding).length;
  }

  /** With the status that the agent gives them, by uid. */
  get pods(): readonly Pod[] {
    const pods = this.all.map(({ pod, status }) => (status ? { ...pod, status } : pod));
    return pods.toSorted((a, b) => (a.metadata.uid < b.metadata.uid ? -1 : 1));
  }

  /** Everything that may be running as far as is known, by `runKey`. */
  get started(): ReadonlySet<string> {
    const refs = this.all.flatMap((worker) =>
      Object.entries(worker.seen.containers)
        .filter(([, { wasStarted, busy }]) => wasStarted && busy !== "starting")
        .map(([name, { attempt }]) => runKey(worker.refOf(name, attempt))),
    );
    return new Set(refs);
  }

  has(uid: string): boolean {
    return this.#workers.has(uid);
  }

  of(uid: string): PodWorker | undefined {
    return this.#workers.get(uid);
  }

  add(worker: PodWorker): void {
    this.#workers.set(worker.pod.metadata.uid, worker);
  }

  /** False: it was not there. */
  remove(uid: string): boolean {
    return this.#workers.delete(uid);
  }

  wake(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  /** A driver has listed what it runs: `found`, of what was started before. */
  lookedAt(driver: DriverName, found: (ref: RunRef) => boolean, wasStartedThen: (ref: RunRef) => boolean): void {
    for (const worker of this.#workers.values()) worker.lookedAt(driver, found, wasStartedThen);
  }

  async detach(): Promise<void> {
    await Promise.all(this.all.map((worker) => worker.detach()));
  }
}
