import { dockerRunAt } from "../../model/unit/docker-run.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import { isAtRest } from "./service-state.ts";
import type { UnitRun } from "./unit-run.ts";

/** A container appears some time after `docker run` was started, and units that run one keep it for long. */
const LOOKS_MS = [300, 1000, 3000, 10_000];

/** Looks for the containers of units that use docker: soon after each move, then now and then while the unit is up. */
export class ChildWatch {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #signal: AbortSignal;
  readonly #look: (unit: UnitRun) => Promise<void>;
  readonly #timers = new Map<UnitRun, Timer>();

  constructor(parts: {
    readonly clock: Clock;
    readonly log: Log;
    readonly signal: AbortSignal;
    readonly look: (unit: UnitRun) => Promise<void>;
  }) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#signal = parts.signal;
    this.#look = parts.look;
  }

  /** The unit has moved. */
  look(unit: UnitRun): void {
    if (usesDocker(unit)) this.#schedule(unit, 0);
  }

  forget(unit: UnitRun): void {
    this.#timers.get(unit)?.cancel();
    this.#timers.delete(unit);
  }

  #schedule(unit: UnitRun, nth: number): void {
    this.#timers.get(unit)?.cancel();
    if (this.#signal.aborted) return;
    const ms = LOOKS_MS[Math.min(nth, LOOKS_MS.length - 1)] ?? 0;
    this.#timers.set(
      unit,
      this.#clock.setTimer(ms, () => void this.#now(unit, nth)),
    );
  }

  async #now(unit: UnitRun, nth: number): Promise<void> {
    if (this.#signal.aborted) return;
    try {
      await this.#look(unit);
    } catch (error) {
      this.#log.warn("cannot look for the unit's containers", { unit: unit.service.name, error });
    }
    if (this.#timers.has(unit) && !(isAtRest(unit.state) && nth >= LOOKS_MS.length)) this.#schedule(unit, nth + 1);
  }
}

/** In a command line of its own, or somewhere in a script. */
function usesDocker({ service }: UnitRun): boolean {
  const commands = [...service.execStartPre, ...service.execStart, ...service.execStartPost];
  return commands.some(
    ({ path, argv }) =>
      dockerRunAt([path, ...argv.slice(1)]) !== undefined ||
      argv.some((word) => /\bdocker\b.*\b(run|create|start)\b/s.test(word)),
  );
}
