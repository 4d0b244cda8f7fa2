import { backoffMs } from "../lib/backoff.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Control, NodeEvent, PodReport } from "./control.ts";

/** Changes within this time travel together. */
const GATHER_MS = 10;
const RETRY = { initialMs: 200, factor: 2, maxMs: 3_000 };
/** While the control plane is away, the newest events are kept and the others counted. */
const MOST_EVENTS = 1000;

/**
 * Tells the control plane what the agent sees: the newest status per pod, only when it differs from what was last
 * taken, again and again until it is taken.
 */
export class Reporter {
  readonly #control: Control;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waiting = new Map<string, PodReport>();
  /** What the control plane is known to have, by uid. */
  readonly #taken = new Map<string, string>();
  /** What is being told at this moment, by uid. */
  readonly #saying = new Map<string, string>();
  #events: NodeEvent[] = [];
  #dropped = 0;
  #failures = 0;
  #timer: Timer | undefined;
  #sending = false;
  #stopped = false;
  readonly #onGone: (uid: string) => void;

  constructor(control: Control, clock: Clock, log: Log, onGone: (uid: string) => void) {
    this.#control = control;
    this.#clock = clock;
    this.#log = log;
    this.#onGone = onGone;
  }

  /** Whether the last attempt to report failed. */
  get isAway(): boolean {
    return this.#failures > 0;
  }

  report(report: PodReport): void {
    const { uid } = report;
    // What is under way comes back as a change before it is answered: that is no reason to say it once more.
    const said = this.#saying.get(uid) ?? this.#taken.get(uid);
    if (said === textOf(report) && !this.#waiting.has(uid)) return;
    this.#waiting.set(report.uid, report);
    this.#soon();
  }

  tell(event: NodeEvent): void {
    this.#events.push(event);
    if (this.#events.length > MOST_EVENTS) {
      this.#events.shift();
      this.#dropped++;
    }
    this.#soon();
  }

  /** The control plane has just been heard of: what waits to be tried again is tried now. */
  hurry(): void {
    if (this.#timer !== undefined && this.#failures > 0) this.#sendIn(0);
  }

  /** Somebody else has written the pod's status: what was taken is said again. */
  sayAgain(uid: string): void {
    this.#taken.delete(uid);
    this.#saying.delete(uid);
  }

  /** No more is said of this pod. */
  forget(uid: string): void {
    this.#waiting.delete(uid);
    this.#saying.delete(uid);
    this.#taken.delete(uid);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #soon(): void {
    if (this.#stopped || this.#sending || this.#timer !== undefined) return;
    this.#sendIn(this.#failures === 0 ? GATHER_MS : backoffMs(RETRY, this.#failures));
  }

  #sendIn(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(ms, () => {
      this.#timer = undefined;
      void this.#send();
    });
  }

  async #send(): Promise<void> {
    const reports = [...this.#waiting.values()];
    const events = this.#events;
    this.#waiting.clear();
    this.#events = [];
    this.#sending = true;
    for (const report of reports) this.#saying.set(report.uid, textOf(report));
    try {
      await this.#control.report(reports, events);
      this.#noteTaken(reports);
    } catch (error) {
      this.#keep(reports, events, error);
    }
    this.#sending = false;
    this.#saying.clear();
    if (this.#waiting.size > 0 || this.#events.length > 0) this.#soon();
  }

  #noteTaken(reports: readonly PodReport[]): void {
    if (this.#failures > 0) this.#log.info("the control plane takes reports again", { lostEvents: this.#dropped });
    this.#failures = 0;
    this.#dropped = 0;
    for (const report of reports) {
      if (report.status === "gone") {
        this.#taken.delete(report.uid);
        this.#onGone(report.uid);
      } else this.#noteSaid(report.uid);
    }
  }

  /** Unless it has to be said again, or something newer is to be said. */
  #noteSaid(uid: string): void {
    const said = this.#saying.get(uid);
    if (said !== undefined && !this.#waiting.has(uid)) this.#taken.set(uid, said);
  }

  #keep(reports: readonly PodReport[], events: readonly NodeEvent[], error: unknown): void {
    if (this.#failures === 0) this.#log.warn("the control plane cannot be told; trying again", { why: String(error) });
    this.#failures++;
    // What was said since then is newer.
    for (const report of reports) if (!this.#waiting.has(report.uid)) this.#waiting.set(report.uid, report);
    this.#events = [...events, ...this.#events].slice(-MOST_EVENTS);
  }
}

function textOf({ status }: PodReport): string {
  return JSON.stringify(status);
}
