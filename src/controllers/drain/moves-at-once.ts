import type { Copies } from "../../model/copies.ts";

/** Copies of one workload that may be on the move at once, wherever they are: one of a few, a tenth of many, or as many as its user can spare. */
export function movesAtOnce(copies: Copies | undefined): number {
  if (!copies) return 1;
  const { wanted, atLeastReady } = copies;
  return Math.max(1, Math.floor(wanted / 10), atLeastReady === undefined ? 0 : wanted - atLeastReady);
}
