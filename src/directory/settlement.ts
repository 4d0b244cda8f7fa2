import type { Clock, Timer } from "../seams/clock.ts";

/** One node's place at the table: what it has applied. */
export interface Seat {
  readonly nodeName: string;
  applied: number;
}

interface Told {
  readonly revision: number;
  readonly atMs: number;
}

/** A node that has not applied something after so long holds nobody up. */
const PATIENCE_MS = 1_000;
/** A server that has just begun to lead does not know yet whom there is to wait for. */
const START_MS = 2_000;
/** It is said no more often; less often where many are to be told. */
const SAY_MS = 20;
const SAY_MS_PER_SEAT = 0.1;
/** While a slow one is waited for. */
const LOOK_MS = 100;

/** Up to which revision every connected node has brought its rules. */
export class Settlement {
  readonly #clock: Clock;
  readonly #say: (revision: number) => void;
  readonly #seats = new Set<Seat>();
  /** Oldest first; what is settled is forgotten. */
  #told: Told[] = [];
  readonly #beganMs: number;
  #silent: ReadonlySet<string> = new Set();
  #newest = 0;
  #settled = 0;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #dueAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, say: (revision: number) => void) {
    this.#clock = clock;
    this.#beganMs = clock.monotonic();
    this.#say = say;
  }

  get revision(): number {
    return this.#settled;
  }

  join(nodeName: string): Seat {
    const seat = { nodeName, applied: 0 };
    this.#seats.add(seat);
    return seat;
  }

  leave(seat: Seat): void {
    if (this.#seats.delete(seat)) this.#lookIn(this.#pauseMs);
  }

  applied(seat: Seat, revision: number): void {
    if (revision <= seat.applied) return;
    seat.applied = Math.min(revision, this.#newest);
    this.#lookIn(this.#pauseMs);
  }

  setSilent(silent: ReadonlySet<string>): void {
    this.#silent = silent;
    this.#lookIn(this.#pauseMs);
  }

  /** This revision goes out to all. */
  told(revision: number): void {
    this.#newest = revision;
    this.#told.push({ revision, atMs: this.#clock.monotonic() });
    this.#lookIn(this.#seats.size === 0 ? this.#pauseMs : LOOK_MS);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#seats.clear();
    this.#told = [];
    this.#settled = this.#newest;
  }

  get #pauseMs(): number {
    return SAY_MS + SAY_MS_PER_SEAT * this.#seats.size;
  }

  /** No earlier than the pause allows; at once after a rest. */
  #lookIn(ms: number): void {
    if (this.#settled === this.#newest) return;
    const nowMs = this.#clock.monotonic();
    const atMs = ms === LOOK_MS ? nowMs + LOOK_MS : Math.max(nowMs, this.#saidAtMs + ms);
    if (this.#dueAtMs <= atMs) return;
    this.#timer?.cancel();
    this.#dueAtMs = atMs;
    this.#timer = this.#clock.setTimer(atMs - nowMs, () => this.#look());
  }

  #look(): void {
    this.#dueAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonic();
    const overdue = this.#overdue(nowMs);
    const settled = nowMs < this.#beganMs + START_MS ? overdue : this.#lowest(overdue);
    if (settled > this.#settled) {
      this.#settled = settled;
      this.#saidAtMs = nowMs;
      this.#told = this.#told.filter(({ revision }) => revision > settled);
      this.#say(settled);
    }
    this.#lookIn(LOOK_MS);
  }

  /** The last revision that has been waited for long enough. */
  #overdue(nowMs: number): number {
    let overdue = this.#settled;
    for (const { revision, atMs } of this.#told) {
      if (nowMs - atMs < PATIENCE_MS) break;
      overdue = revision;
    }
    return overdue;
  }

  #lowest(overdue: number): number {
    let lowest = this.#newest;
    for (const { nodeName, applied } of this.#seats) {
      if (this.#silent.has(nodeName)) continue;
      lowest = Math.min(lowest, Math.max(applied, overdue));
    }
    return lowest;
  }
}
