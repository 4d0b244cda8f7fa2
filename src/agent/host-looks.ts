import type { Clock } from "../seams/clock.ts";
import { inTime } from "../seams/in-time.ts";
import type { Log } from "../seams/log.ts";
import type { DriverViews } from "./driver-views.ts";
import type { NodeRegistration } from "./node-registration.ts";

/** Drivers and the host are looked at this often. */
const LOOK_EVERY_MS = 10_000;
/** A driver that does not answer holds up the start no longer than this. */
const FIRST_LOOK_MS = 5_000;

export interface HostLooksOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The end of the agent. */
  readonly stopping: AbortSignal;
  readonly views: DriverViews;
  readonly registration: NodeRegistration;
  /** After each look but the first, whatever came of it. */
  looked(): void;
}

/** Looks at drivers and host at the start, and again and again: one look at a time, and none that hangs holds up the next. */
export class HostLooks {
  readonly #options: HostLooksOptions;

  constructor(options: HostLooksOptions) {
    this.#options = options;
  }

  async first(): Promise<void> {
    await inTime(this.#options.clock, FIRST_LOOK_MS, this.#look(), () => undefined);
  }

  begin(): void {
    this.#options.clock.setTimer(LOOK_EVERY_MS, () => this.#again());
  }

  async #look(): Promise<void> {
    await this.#options.views.describe();
    await this.#options.registration.refresh();
  }

  #again(): void {
    const { clock, log, stopping, looked } = this.#options;
    if (stopping.aborted) return;
    const failed = (error: unknown) => log.warn("this host could not be looked at", { why: String(error) });
    void inTime(clock, LOOK_EVERY_MS, this.#look().catch(failed), () => undefined).then(() => {
      looked();
      this.begin();
    });
  }
}
