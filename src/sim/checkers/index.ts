/** The invariants that every simulated world is held to. One file each; docs/simulation.md lists them in these words. */
import type { Checker } from "../contract.ts";
import { AcknowledgedWrites } from "./acknowledged-writes.ts";
import { Authorisation } from "./authorisation.ts";
import { BrakeHolds } from "./brake-holds.ts";
import { Convergence } from "./convergence.ts";
import { DeadProcess } from "./dead-process.ts";
import { ExclusiveOnce } from "./exclusive-once.ts";
import { GoneMeansStopped } from "./gone-means-stopped.ts";
import { GuardIsLast } from "./guard-is-last.ts";
import { HardConstraints } from "./hard-constraints.ts";
import { MovesLimited } from "./moves-limited.ts";
import { NoOversold } from "./no-oversold.ts";
import { OneNodeForLife } from "./one-node-for-life.ts";
import { OutageStopsNothing } from "./outage-stops-nothing.ts";
import { PendingReasons } from "./pending-reasons.ts";
import { PhasesForward } from "./phases-forward.ts";
import { Quiet } from "./quiet.ts";
import { SlowIsNotDead } from "./slow-is-not-dead.ts";
import { UpdateFloor } from "./update-floor.ts";
import { WatchersSeeAll } from "./watchers-see-all.ts";

/** New ones for one world, in the order in which they are asked once all is settled. */
export function allCheckers(): readonly Checker[] {
  return [
    new ExclusiveOnce(),
    new GuardIsLast(),
    new OneNodeForLife(),
    new NoOversold(),
    new HardConstraints(),
    new PhasesForward(),
    new AcknowledgedWrites(),
    new UpdateFloor(),
    new OutageStopsNothing(),
    new SlowIsNotDead(),
    new BrakeHolds(),
    new MovesLimited(),
    new GoneMeansStopped(),
    new DeadProcess(),
    new Convergence(),
    new Quiet(),
    new PendingReasons(),
    new WatchersSeeAll(),
    new Authorisation(),
  ];
}
