import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  readonly withinMs?: number;
  readonly everyMs?: number;
  /** For the message: what there was instead. */
  readonly seen?: () => string | Promise<string>;
}

/** Waits for a condition and gives how long that took, in milliseconds; in vain it fails saying which condition and what was seen. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  { withinMs = 60_000, everyMs = 100, seen = () => "" }: WaitOptions = {},
): Promise<number> {
  const from = performance.now();
  while (!(await check())) {
    if (performance.now() - from > withinMs) throw new Error(`not in ${withinMs / 1000} s: ${what}\n${await seen()}`);
    await delay(everyMs);
  }
  return performance.now() - from;
}
