import { monitorEventLoopDelay } from "node:perf_hooks";

/** What a process says of itself in `styr status`. */
export interface ProcessFacts {
  /** Lag: the 99th percentile since it was last asked. */
  read(): { readonly lagMs: number; readonly memoryBytes: number };
  stop(): void;
}

const SAMPLE_MS = 10;

/** Of this process. */
export function systemProcessFacts(): ProcessFacts {
  const lag = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  lag.enable();
  return {
    read: () => {
      // Without the sampling interval itself.
      const lagMs = Math.max(0, lag.percentile(99) / 1e6 - SAMPLE_MS);
      lag.reset();
      return { lagMs: Math.round(lagMs * 10) / 10, memoryBytes: process.memoryUsage.rss() };
    },
    stop: () => lag.disable(),
  };
}
