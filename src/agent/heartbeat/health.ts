/** What a heartbeat says of its node beside "I live". Pure: from the ages of what was last seen to work. */
import type { NodeHealth } from "../../model/heartbeat.ts";

export interface HealthWord {
  readonly health: NodeHealth;
  readonly message?: string;
}

/** Moments of the monotonic clock. Absent: nobody looks after that here. */
export interface Signs {
  /** When the agent's own loop last turned. */
  readonly tickAtMs?: number;
  /** When the write to the disk that has not come back yet was begun. */
  readonly diskAskedAtMs?: number;
  /** When the Docker Engine last answered. */
  readonly engineAtMs?: number;
  /** When the process keeper last answered. */
  readonly keeperAtMs?: number;
  /** When the disk was last found nearly full; absent = it has room. */
  readonly diskShortAtMs?: number;
  /** Why memory is short, in words. */
  readonly memory?: string;
}

const AGENT_STALLED_MS = 5_000;
const IO_STALLED_MS = 5_000;
const DRIVER_SILENT_MS = 10_000;

/** The most fundamental first: an agent that stands still cannot say anything about disk and engine. */
export function healthOf(signs: Signs, nowMs: number): HealthWord {
  const { tickAtMs, diskAskedAtMs, engineAtMs, keeperAtMs, diskShortAtMs, memory } = signs;
  const silent = (sinceMs: number | undefined) => (sinceMs === undefined ? 0 : nowMs - sinceMs);
  if (silent(tickAtMs) >= AGENT_STALLED_MS) {
    return { health: "agent-stalled", message: `the agent has not moved for ${seconds(silent(tickAtMs))}` };
  }
  if (silent(diskAskedAtMs) >= IO_STALLED_MS) {
    return { health: "io-stalled", message: `a write to disk has been waiting for ${seconds(silent(diskAskedAtMs))}` };
  }
  if (silent(engineAtMs) >= DRIVER_SILENT_MS) {
    const message = `the Docker Engine has not answered for ${seconds(silent(engineAtMs))}`;
    return { health: "engine-silent", message };
  }
  if (silent(keeperAtMs) >= DRIVER_SILENT_MS) {
    const message = `the process keeper has not answered for ${seconds(silent(keeperAtMs))}`;
    return { health: "keeper-silent", message };
  }
  if (diskShortAtMs !== undefined) {
    return { health: "disk-pressure", message: "the disk of the state directory is full, or nearly" };
  }
  return memory === undefined ? { health: "ok" } : { health: "memory-pressure", message: memory };
}

/** In steps, so that the words do not change with every heartbeat. */
function seconds(ms: number): string {
  const whole = Math.floor(ms / 1000);
  return whole < 60 ? `${whole - (whole % 5)} s` : `${Math.floor(whole / 60)} min`;
}
