import type { Clock } from "../../seams/clock.ts";

/** A change of leader takes some seconds. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 500;

/** 503: no server leads. 504: it was lost meanwhile. 502: it answered nothing sensible. None of them is a judgement. */
const PASSING: readonly (number | undefined)[] = [502, 503, 504];

export function isPassing(error: unknown): boolean {
  return PASSING.includes((error as { status?: number }).status);
}

/** For questions that change nothing: asked again until it is judged, within reason. */
export async function judgeAnew<T>(clock: Clock, ask: () => Promise<T>): Promise<T> {
  const untilMs = clock.monotonic() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error) || clock.monotonic() >= untilMs) throw error;
    }
    await clock.sleep(PAUSE_MS);
  }
}
