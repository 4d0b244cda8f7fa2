import type { ObservedRun } from "../drivers/driver.ts";
import { FakeMachine, type FakeRun } from "../drivers/fake/fake-machine.ts";
import type { UnitState } from "../model/pod.ts";
import type { Clock } from "../seams/clock.ts";

/** What runs on a simulated host during one boot; three engines look at it. */
export class SimMachine extends FakeMachine {
  readonly #changed: (run: ObservedRun) => void;

  constructor(clock: Clock, changed: (run: ObservedRun) => void) {
    super(clock);
    this.#changed = changed;
  }

  override change(entry: FakeRun, observed: ObservedRun): ObservedRun {
    const told = observed.driver === "unit" ? { ...observed, unit: unitStateOf(observed) } : observed;
    super.change(entry, told);
    this.#changed(told);
    return told;
  }
}

/** Of a simple service without restarts of its own. */
function unitStateOf({ state, exitCode }: ObservedRun): UnitState {
  if (state !== "exited") return { load: "loaded", active: "active", sub: "running" };
  return exitCode === 0 || exitCode === 143
    ? { load: "loaded", active: "inactive", sub: "dead", result: "success" }
    : { load: "loaded", active: "failed", sub: "failed", result: "exit-code" };
}
