import { existsSync, readdirSync, readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { ProcessReading } from "../metrics/process-metrics.ts";

/** What a process says of itself in `styr status` and in /metrics. */
export interface ProcessFacts {
  /** Lag: the 99th percentile since it was last asked. */
  read(): ProcessReading;
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
      const { user, system } = process.cpuUsage();
      const rounded = { lagMs: Math.round(lagMs * 10) / 10, memoryBytes: process.memoryUsage.rss() };
      return { ...rounded, cpuSeconds: (user + system) / 1e6, ...descriptors() };
    },
    stop: () => lag.disable(),
  };
}

const OPEN = "/proc/self/fd";
const LIMITS = "/proc/self/limits";

/** Where nobody says, what Linux gives a process that asks for no more. */
const USUAL_LIMIT = 1024;

/** How many files, sockets among them, this process may have open. */
export function mostDescriptors(): number {
  const most = existsSync(LIMITS) ? /^Max open files +(\d+)/m.exec(readFileSync(LIMITS, "utf8"))?.[1] : undefined;
  return most === undefined ? USUAL_LIMIT : Number(most);
}

function descriptors(): Pick<ProcessReading, "openFds" | "maxFds"> {
  return { ...(existsSync(OPEN) ? { openFds: readdirSync(OPEN).length } : {}), maxFds: mostDescriptors() };
}
