/**
 * How soon configurations may follow each other. Each leaves a worker behind that lives as long as its connections (WebSockets do, for
 * long), with all of its memory. Pure.
 */

/** What a reload leaves behind ends its connections within this time. */
export const HARD_STOP_MINUTES = 30;

/** So many of them cost nothing that anybody would notice. */
const FREE = 5;
const FIRST_PAUSE_MS = 10_000;
/** With this the twentieth is 30 minutes younger than the first, which has ended by then. */
const GROWTH = 1.31;

/** From one configuration to the next, while so many workers of earlier ones live. */
export function pauseAfter(oldWorkers: number): number {
  return oldWorkers < FREE ? 0 : Math.round(FIRST_PAUSE_MS * GROWTH ** (oldWorkers - FREE));
}
