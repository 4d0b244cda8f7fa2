import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Signs } from "./health.ts";
import type { Heartbeats } from "./heartbeats.ts";

export interface HealthWatchOptions {
  readonly heartbeats: Heartbeats;
  readonly clock: Clock;
  readonly log: Log;
  /** Asks every driver how it is. */
  look(): Promise<void>;
  /** When each of those who run things last answered; without one that never was there. */
  driversAtMs(): Pick<Signs, "engineAtMs" | "keeperAtMs">;
  /** Writes a little to the agent's disk and waits until it is there. */
  probeDisk?(): Promise<void>;
  /** Whether that disk is nearly full; asked after a write has come back. `wasShort`: it was, the last time. */
  isDiskShort?(wasShort: boolean): Promise<boolean>;
  /** Why memory is short, in words; undefined when it is not. */
  memory?(): string | undefined;
}

const TICK_MS = 1_000;
const LOOK_EVERY_MS = 5_000;
const PROBE_EVERY_MS = 3_000;
/** A disk, or its share for this user, that is full. */
const NO_ROOM = ["ENOSPC", "EDQUOT"];

/** Gathers what the heartbeats' health word is made of, and shows it to whoever sends them. */
export class HealthWatch {
  readonly #options: HealthWatchOptions;
  readonly #timers = new Map<string, Timer>();
  #diskAskedAtMs: number | undefined;
  #diskShortAtMs: number | undefined;
  #isStopped = false;

  constructor(options: HealthWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { heartbeats, probeDisk } = this.#options;
    this.#show();
    this.#every("look", LOOK_EVERY_MS, () => this.#look());
    if (probeDisk !== undefined) this.#every("probe", PROBE_EVERY_MS, () => this.#probe());
    if (heartbeats.watchesAgent) this.#every("tick", TICK_MS, () => this.#show());
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
  }

  #every(name: string, ms: number, work: () => void): void {
    const again = () => {
      if (this.#isStopped) return;
      this.#timers.set(name, this.#options.clock.setTimer(ms, again));
      work();
    };
    this.#timers.set(name, this.#options.clock.setTimer(ms, again));
  }

  #look(): void {
    this.#show();
    void this.#options.look().then(() => this.#show());
  }

  /** One at a time: a disk that hangs is not asked twice. */
  #probe(): void {
    const { clock, log, probeDisk, isDiskShort } = this.#options;
    if (this.#diskAskedAtMs !== undefined) return;
    this.#diskAskedAtMs = clock.monotonic();
    this.#show();
    const done = (isShort: boolean) => {
      this.#diskAskedAtMs = undefined;
      this.#diskShortAtMs = isShort ? clock.monotonic() : undefined;
      this.#show();
    };
    const looked = probeDisk?.().then(() => isDiskShort?.(this.#diskShortAtMs !== undefined) ?? false);
    // A disk that is full or read-only answers, too.
    void looked?.then(done, (error: NodeJS.ErrnoException) => {
      log.debug("the disk could not be written", { why: String(error) });
      done(error.code !== undefined && NO_ROOM.includes(error.code));
    });
  }

  #show(): void {
    if (this.#isStopped) return;
    const { heartbeats, clock, driversAtMs, memory } = this.#options;
    const words = memory?.();
    heartbeats.show({
      ...(heartbeats.watchesAgent ? { tickAtMs: clock.monotonic() } : {}),
      ...(this.#diskAskedAtMs === undefined ? {} : { diskAskedAtMs: this.#diskAskedAtMs }),
      ...(this.#diskShortAtMs === undefined ? {} : { diskShortAtMs: this.#diskShortAtMs }),
      ...driversAtMs(),
      ...(words === undefined ? {} : { memory: words }),
    });
  }
}
