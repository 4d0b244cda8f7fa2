/**
 * A node that is lost and returns again and again is damped: each return draws new pods to it, and each loss throws them
 * out again. Pure. All times are monotonic.
 */
import type { Trouble } from "./node-marks.ts";

/** So many returns after a loss … */
const RETURNS = 3;
/** … within this time: it flaps, … */
const WITHIN_MS = 600_000;
/** … until it has not been lost for so long. */
export const QUIET_MS = 300_000;

export const FLAPPING = "Flapping";

export interface Flaps {
  /** When it returned from being lost, of late. */
  readonly returnsMs: readonly number[];
  /** It counts as flapping until then. */
  readonly untilMs: number;
}

export const NO_FLAPS: Flaps = { returnsMs: [], untilMs: Number.NEGATIVE_INFINITY };

/** It was lost, and is back. */
export function withReturn({ returnsMs, untilMs }: Flaps, nowMs: number): Flaps {
  const recent = [...returnsMs, nowMs].filter((ms) => ms > nowMs - WITHIN_MS);
  const flaps = recent.length >= RETURNS || nowMs < untilMs;
  return { returnsMs: recent, untilMs: flaps ? nowMs + QUIET_MS : untilMs };
}

export function isFlapping({ untilMs }: Flaps, nowMs: number): boolean {
  return nowMs < untilMs;
}

export const FLAPPING_TROUBLE: Trouble = {
  reason: FLAPPING,
  message: `was lost and came back ${RETURNS} times within ${WITHIN_MS / 60_000} min; it is trusted again when it has stayed for ${QUIET_MS / 60_000} min`,
};
