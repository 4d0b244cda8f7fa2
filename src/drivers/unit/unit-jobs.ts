/** Start and stop jobs, with what they and every other move of a unit do to the units that depend on it (dependencies.ts). */
import type { Log } from "../../seams/log.ts";
import {
  type DependencyAction,
  type Ending,
  type HeldUnit,
  planOnEnd,
  planOnStart,
  startsAfter,
  unheldNames,
} from "./dependencies.ts";
import { activeState, isAtRest, type ServiceState } from "./service-state.ts";
import type { UnitRun } from "./unit-run.ts";

export interface UnitJobsParts {
  readonly runs: ReadonlyMap<string, UnitRun>;
  readonly log: Log;
  readonly tell: (unit: UnitRun) => void;
  /** For work that nobody waits for. */
  readonly quietly: (unit: UnitRun, work: Promise<void>) => Promise<void>;
}

export class UnitJobs {
  readonly #parts: UnitJobsParts;

  constructor(parts: UnitJobsParts) {
    this.#parts = parts;
  }

  /** Waits for the units it comes after, then starts, with what it pulls in. */
  async start(unit: UnitRun): Promise<void> {
    const { name } = unit.service;
    const other = startsAfter(name, this.#held());
    unit.waitsFor = other === undefined ? undefined : `waits for ${other}, which it is to start after`;
    if (other !== undefined) return;
    for (const action of planOnStart(name, this.#held())) await this.#depend(action);
    await unit.start();
  }

  async stop(unit: UnitRun): Promise<void> {
    if (unit.waitsFor !== undefined) {
      unit.waitsFor = undefined;
      this.#parts.tell(unit);
    }
    await unit.send({ type: "stop" });
  }

  /** Called in the middle of a unit's move: nothing here may wait for that unit. */
  moved(unit: UnitRun, before: ServiceState): void {
    const { runs, quietly } = this.#parts;
    const ending = endingOf(before, unit.state);
    const actions = ending === undefined ? [] : planOnEnd(unit.service.name, ending, this.#held());
    for (const action of actions) void quietly(unit, this.#depend(action));
    for (const waiting of runs.values()) if (waiting.waitsFor !== undefined) void quietly(waiting, this.start(waiting));
  }

  /** Units it names that are not run here. */
  unheldNames(unit: UnitRun): readonly string[] {
    return unheldNames(unit.service, this.#held());
  }

  async #depend({ type, name, reason }: DependencyAction): Promise<void> {
    this.#parts.log.info(`${type} ${name}: ${reason}`);
    for (const unit of this.#parts.runs.values()) {
      if (unit.service.name !== name || !isRunnable(unit)) continue;
      if (type === "start") await this.start(unit);
      else if (type === "stop") await this.stop(unit);
      else await unit.send({ type: "stop", thenStart: true });
    }
  }

  #held(): readonly HeldUnit[] {
    return [...this.#parts.runs.values()].map((unit) => ({
      name: unit.service.name,
      service: unit.service,
      active: activeState(unit.state),
      isLoadedOnly: unit.observed().state === "created" && isAtRest(unit.state),
      isWaiting: unit.waitsFor !== undefined,
      isAutoRestarting: unit.state.sub === "auto-restart",
    }));
  }
}

/** A service that loads; everything else only exists. */
export function isRunnable({ service }: UnitRun): boolean {
  return service.isExecutable && service.load === "loaded";
}

/** What other units are to hear of a move. */
function endingOf(before: ServiceState, after: ServiceState): Ending | undefined {
  if (before.sub === "auto-restart" && after.invocation > before.invocation) return "restarting";
  if (!isAtRest(after) || (isAtRest(before) && before.sub === after.sub)) return undefined;
  if (after.isStartAsked) return "restarting";
  if (after.isStopAsked) return "stopped";
  return after.sub === "failed" ? "failed" : "ended";
}
