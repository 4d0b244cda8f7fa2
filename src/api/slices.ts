import type { Clock } from "../seams/clock.ts";

/** The event loop is given back after so long: heartbeats are taken on it. */
const SLICE_MS = 10;

/** Called between small pieces of a long piece of work; wait for what it gives. */
export function slices(clock: Clock): () => Promise<void> | undefined {
  let until = clock.monotonic() + SLICE_MS;
  return () => {
    if (clock.monotonic() < until) return undefined;
    return clock.sleep(0).then(() => {
      until = clock.monotonic() + SLICE_MS;
    });
  };
}
