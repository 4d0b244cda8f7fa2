/** What is made of a lease at a moment, and what is done with it when that has been written. Pure but for the record itself. */
import type { Lease } from "./lease.ts";
import type { Standing } from "./node-marks.ts";
import type { Written } from "./write-node.ts";

/** Undefined: it has not been heard, and not been given up. */
export function standingOf({ loss, hasLived, hasBeaten }: Lease, isHeld: boolean): Standing | undefined {
  if (loss) return hasLived ? "lost" : "never up";
  if (isHeld) return "held";
  return hasBeaten ? "up" : undefined;
}

/** What was written need not be said again; what has come since then is still to be. */
export function settle(lease: Lease, { standing, comeback, gone, againMs, returnedUntilMs }: Written): void {
  if (gone) lease.goneTold = true;
  if (standing !== "up" || lease.loss) return;
  if (lease.comeback === comeback) lease.comeback = undefined;
  if (lease.giving === 0) lease.gaveAway = false;
  if (againMs === undefined && lease.returnedUntilMs === returnedUntilMs) lease.returnedUntilMs = undefined;
}
