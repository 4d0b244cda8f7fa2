import { humanDuration } from "../lib/duration.ts";
import type { Clock } from "../seams/clock.ts";

const LOOK_EVERY_MS = 5_000;
/** What keeps a clock right moves it by less than a thousandth. */
const LEAST_STEP_MS = 5_000;

/** Tells, in words, when this host's clock was set: whatever is dated before and after that does not fit together. Ends with `signal`. */
export async function watchClock(clock: Clock, signal: AbortSignal, stepped: (words: string) => void): Promise<void> {
  let before = clock.now() - clock.monotonic();
  while (!signal.aborted) {
    await pause(clock, signal);
    const after = clock.now() - clock.monotonic();
    const stepMs = after - before;
    before = after;
    if (!signal.aborted && Math.abs(stepMs) >= LEAST_STEP_MS) stepped(wordsOf(stepMs));
  }
}

function wordsOf(stepMs: number): string {
  const by = humanDuration(Math.round(Math.abs(stepMs) / 1000) * 1000);
  // A machine that slept, or a virtual one that was frozen, finds its clock ahead as well.
  const how = stepMs < 0 ? `set back by ${by}` : `${by} further at once: it was set, or the machine slept`;
  return `this host's clock was ${how}; times from before that are off by as much`;
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(LOOK_EVERY_MS, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
