/** Takes containers away, few at a time so that starts go first, and again when the engine is not ready to. */
import { backoffMs } from "../../lib/backoff.ts";
import type { Clock } from "../../seams/clock.ts";
import { DriverError } from "../driver.ts";
import { type Engine, EngineRefusal } from "./engine.ts";
import { Limiter } from "./limiter.ts";

const TRIES = 6;

export class Removal {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #limiter = new Limiter(2);

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** Kills it if it runs. Gone already is success. DriverError (temporary) with Docker's words when it will not go. */
  remove(id: string): Promise<void> {
    return this.#limiter.run(() => this.#removeNow(id));
  }

  async #removeNow(id: string): Promise<void> {
    for (let failures = 1; ; failures++) {
      try {
        const query = { force: true, v: true };
        await this.#engine.call({ method: "DELETE", path: `/containers/${id}`, query, timeoutMs: 60_000 });
        return;
      } catch (error) {
        if (!(error instanceof EngineRefusal)) throw error;
        if (error.status === 404) return;
        // 409: "removal … is already in progress"; 500: "device or resource busy" for as long as some process looks at its files.
        if (failures >= TRIES)
          throw new DriverError(error.message, { temporary: true, reason: "RemoveContainerError" });
        await this.#clock.sleep(backoffMs({ initialMs: 50, factor: 2, maxMs: 1000 }, failures));
      }
    }
  }
}
