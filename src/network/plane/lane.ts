import { backoffMs } from "../../lib/backoff.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { NetworkPart } from "./network-part.ts";
import type { NetworkState } from "./network-state.ts";
import { Touched } from "./touched.ts";

export interface LaneOptions {
  readonly part: NetworkPart;
  readonly state: NetworkState;
  readonly clock: Clock;
  readonly log: Log;
  /** Something was applied, or given up for now. */
  readonly onDone: () => void;
}

interface Waiting {
  readonly ticket: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const BACKOFF = { initialMs: 200, factor: 2, maxMs: 15_000 };

/**
 * One part's way through the news: once at a time, and what comes meanwhile is gathered for the next time. A part that fails is
 * asked again, with what it failed at and what came since, and holds up nobody: what it failed at counts as seen.
 */
export class Lane {
  readonly #options: LaneOptions;
  #touched = new Touched();
  /** Counts every note; what a pass began with is done when it ends. */
  #noted = 0;
  #done = 0;
  #revision = 0;
  #doneRevision = 0;
  #failures = 0;
  #problem = "";
  #isBusy = false;
  #isStopped = false;
  #retry: Timer | undefined;
  #waiting: Waiting[] = [];

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.part.name;
  }

  /** What it has applied, or failed to. */
  get revision(): number {
    return this.#doneRevision;
  }

  /** Why it is failing now; empty when it is not. */
  get problem(): string {
    return this.#problem;
  }

  note(touched: Touched, revision: number): void {
    this.#touched.add(touched);
    this.#revision = revision;
    this.#noted++;
    void this.#run();
  }

  /** Resolves when all that was noted so far is in force; rejects in words when the part fails at it. */
  settled(): Promise<void> {
    if (this.#done >= this.#noted && this.#problem === "") return Promise.resolve();
    if (this.#retry !== undefined) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => this.#waiting.push({ ticket: this.#noted, resolve, reject }));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry?.cancel();
    this.#answer(new Error("the agent stops"));
    await this.#options.part.stop();
  }

  async #run(): Promise<void> {
    if (this.#isBusy || this.#isStopped || this.#retry !== undefined || this.#touched.isEmpty) {
      this.#skip();
      return;
    }
    this.#isBusy = true;
    const { part, state } = this.#options;
    const [touched, ticket, revision] = [this.#touched, this.#noted, this.#revision];
    this.#touched = new Touched();
    try {
      await part.apply(state, touched);
      this.#went(ticket);
    } catch (error) {
      this.#failed(touched, error instanceof Error ? error : new Error(String(error)));
    }
    this.#isBusy = false;
    this.#doneRevision = revision;
    this.#options.onDone();
    await this.#run();
  }

  /** Nothing to do, or nothing that could be done now. */
  #skip(): void {
    if (this.#isBusy || this.#doneRevision === this.#revision) return;
    this.#doneRevision = this.#revision;
    if (this.#retry === undefined && this.#touched.isEmpty) this.#went(this.#noted);
    this.#options.onDone();
  }

  #went(ticket: number): void {
    const { log, part } = this.#options;
    if (this.#problem !== "") log.info("a part of the network works again", { part: part.name });
    this.#failures = 0;
    this.#problem = "";
    this.#done = Math.max(this.#done, ticket);
    const over = this.#waiting.filter((each) => each.ticket <= ticket);
    this.#waiting = this.#waiting.filter((each) => each.ticket > ticket);
    for (const { resolve } of over) resolve();
  }

  #failed(touched: Touched, error: Error): void {
    const { log, part, clock } = this.#options;
    this.#touched.add(touched);
    this.#failures++;
    if (this.#problem !== error.message)
      log.warn("a part of the network failed and will be tried again", { part: part.name, why: error.message });
    this.#problem = error.message === "" ? `${part.name} failed` : error.message;
    this.#answer(this.#error);
    if (this.#isStopped) return;
    this.#retry = clock.setTimer(backoffMs(BACKOFF, this.#failures), () => {
      this.#retry = undefined;
      void this.#run();
    });
  }

  get #error(): Error {
    return new Error(`${this.#options.part.name}: ${this.#problem}`);
  }

  #answer(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(error);
  }
}
