import type { World } from "../contract.ts";

/** Something that is done to a world at a moment that was drawn before the world began. */
export interface Step {
  /** Since the start of the run. */
  readonly atMs: number;
  /** What kind of thing it is, for statistics: `fault/power-off`, `user/scale`. */
  readonly kind: string;
  /** One line for the timeline. */
  readonly words: string;
  /** May take a while (a reboot, a request): nobody waits for it before the next step. */
  perform(world: World): Promise<void> | void;
}

export function byTime(a: Step, b: Step): number {
  return a.atMs - b.atMs || (a.words < b.words ? -1 : a.words > b.words ? 1 : 0);
}
