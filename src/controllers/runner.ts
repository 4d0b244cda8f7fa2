/** The only reconcile loop: watches the store, keeps a queue of keys per controller, and runs each key in a transaction of its own. */
import { ApiError } from "../model/errors.ts";
import { keyOf } from "../model/meta.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Store } from "../store/store.ts";
import type { Change } from "../store/transaction.ts";
import type { Controller, Requeue } from "./controller.ts";
import { Lane } from "./lane.ts";

export interface RunnerOptions {
  readonly store: Store;
  readonly controllers: readonly Controller[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How much of the event loop one reconciliation took. */
  readonly onReconciled?: (controller: string, tookMs: number) => void;
  readonly onFailed?: (controller: string) => void;
}

/** Longest run without letting the event loop breathe. */
const SLICE_MS = 10;

export class ControllerRunner {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #lanes: readonly Lane[];
  readonly #stop = new AbortController();
  readonly #idle = new Set<() => void>();
  readonly #onReconciled: NonNullable<RunnerOptions["onReconciled"]>;
  readonly #onFailed: NonNullable<RunnerOptions["onFailed"]>;
  #watched: Promise<void> | undefined;
  /** Everything up to this revision has been queued. */
  #seen = 0;
  #inFlight = 0;
  #nextLane = 0;
  #scheduled = false;

  constructor(options: RunnerOptions) {
    const { store, controllers, clock, random, log } = options;
    this.#onReconciled = options.onReconciled ?? (() => {});
    this.#onFailed = options.onFailed ?? (() => {});
    this.#store = store;
    this.#clock = clock;
    this.#lanes = controllers.map(
      (controller) =>
        new Lane({
          controller,
          clock,
          random: random.fork(controller.name),
          log: log.with({ controller: controller.name }),
          ready: () => this.#run(),
        }),
    );
  }

  /** Reconciles everything there is once, then what changes. */
  start(): void {
    this.#watched = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const lane of this.#lanes) lane.stop();
    await this.#watched;
  }

  /** How many keys are due, by controller. */
  get queues(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#lanes.map(({ controller, queue }) => [controller.name, queue.size]));
  }

  /** Resolves once every key that is due has been reconciled and written; keys that wait for a time are not waited for. */
  async settle(): Promise<void> {
    while (!this.#isIdle()) await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  #isIdle(): boolean {
    return this.#inFlight === 0 && this.#seen >= this.#store.revision && this.#lanes.every(({ isIdle }) => isIdle);
  }

  async #watch(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        this.#seen = this.#store.revision;
        this.#enqueueAll();
        for await (const changes of this.#store.watch({ since: this.#seen, signal: this.#stop.signal })) {
          for (const change of changes) this.#enqueueFor(change);
          this.#seen = changes.at(-1)?.revision ?? this.#seen;
          this.#run();
          this.#announceIdle();
        }
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        // Fallen behind the history: what is, is all that matters, so look at everything again.
        if (error instanceof ApiError && error.reason === "Expired") continue;
        if (error instanceof ApiError && error.reason === "Unavailable") return;
        throw error;
      }
    }
  }

  #enqueueAll(): void {
    for (const { controller, queue } of this.#lanes) {
      for (const { kind, keys } of controller.wakers) {
        for (const object of this.#store.list(kind)) {
          const change: Change = { type: "added", kind, key: keyOf(object), object, revision: this.#seen };
          for (const key of keys(object, this.#store, change)) queue.add(key);
        }
      }
    }
    this.#run();
  }

  #enqueueFor(change: Change): void {
    for (const lane of this.#lanes) {
      for (const { kind, keys } of lane.controller.wakers) {
        if (kind.name !== change.kind.name) continue;
        for (const key of keys(change.object, this.#store, change)) lane.wake(key);
        // An object that changed hands wakes its old owner as well.
        if (change.type === "modified" && change.before) {
          for (const key of keys(change.before, this.#store, change)) lane.wake(key);
        }
      }
    }
  }

  #run(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.setTimer(0, () => {
      this.#scheduled = false;
      this.#slice();
    });
  }

  #slice(): void {
    const started = this.#clock.monotonic();
    // After the lane served last, so that one controller with much to do does not keep the others waiting.
    const first = this.#nextLane;
    for (let n = 0; n < this.#lanes.length; n++) {
      const at = (first + n) % this.#lanes.length;
      const lane = this.#lanes[at] as Lane;
      for (const key of lane.queue) {
        if (this.#clock.monotonic() - started > SLICE_MS) {
          this.#run();
          return;
        }
        // Only a lane that was served has had its turn.
        this.#nextLane = (at + 1) % this.#lanes.length;
        lane.take(key);
        this.#reconcile(lane, key);
      }
    }
    this.#announceIdle();
  }

  #reconcile(lane: Lane, key: string): void {
    this.#inFlight++;
    let requeue: Requeue | undefined;
    const beganMs = this.#clock.monotonic();
    const written = this.#store.update((tx) => {
      requeue = lane.controller.reconcile(key, tx, { random: lane.random, log: lane.log });
    });
    const tookMs = this.#clock.monotonic() - beganMs;
    lane.tookMs(key, tookMs);
    this.#onReconciled(lane.controller.name, tookMs);
    written
      .then(
        () => {
          lane.succeeded(key);
          if (requeue && !this.#stop.signal.aborted) lane.later(key, requeue.afterMs);
        },
        (error: Error) => {
          if (this.#stop.signal.aborted) return;
          lane.failed(key, error);
          this.#onFailed(lane.controller.name);
        },
      )
      .finally(() => {
        this.#inFlight--;
        this.#announceIdle();
      });
  }

  #announceIdle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }
}
