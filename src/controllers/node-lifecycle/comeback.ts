/** What a heartbeat tells of the time before it. Pure. */
import type { Comeback, Lease } from "./lease.ts";

/** No host starts more often: another boot id within this time is no news. */
const REBOOT_MS = 10_000;

/** What was known of a node before the heartbeat that has come. */
export interface Before {
  readonly heardMs: number;
  /** The goodbye that this heartbeat ends. */
  readonly left: Lease["leaving"];
  readonly rebooted: boolean;
  /** The brake held it. */
  readonly isHeld: boolean;
}

/** `before`: the boot id that it said last, `rebootedMs`: when that was another one. */
export function isReboot(before: string | undefined, bootId: string, rebootedMs: number, nowMs: number): boolean {
  return before !== undefined && before !== bootId && nowMs - rebootedMs >= REBOOT_MS;
}

/** Undefined: it was never given up, nor away. */
export function comebackOf(before: Before, loss: Lease["loss"], nowMs: number): Comeback | undefined {
  const { heardMs, left, rebooted, isHeld } = before;
  if (!loss && !left && !rebooted && !isHeld) return undefined;
  const sinceMs = left?.sinceMs ?? Math.min(heardMs, loss?.sinceMs ?? heardMs);
  return { silentMs: nowMs - sinceMs, rebooted, announced: left !== undefined };
}
