import type { Catalogue } from "./definition.ts";
import { Meters } from "./meters.ts";

/** Of the process itself, server and agent alike. */
export const PROCESS_METRICS = [
  {
    name: "styr_event_loop_lag_seconds",
    type: "gauge",
    help: "The longest delay of the event loop of late, without the rarest hundredth.",
  },
  { name: "process_resident_memory_bytes", type: "gauge", help: "Resident memory of the process." },
  { name: "process_cpu_seconds_total", type: "counter", help: "CPU time of the process, all of its threads." },
  { name: "process_open_fds", type: "gauge", help: "Open file descriptors of the process." },
  { name: "process_max_fds", type: "gauge", help: "How many file descriptors it may have open." },
  { name: "process_start_time_seconds", type: "gauge", help: "When the process started." },
  {
    name: "styr_build_info",
    type: "gauge",
    help: "Always 1; the program's version is the label.",
    labels: ["version"],
  },
  {
    name: "styr_certificate_expiry_seconds",
    type: "gauge",
    help: "Seconds until a certificate of this host ends; below 0 it has ended.",
    labels: ["certificate"],
  },
] as const satisfies Catalogue;

/** What a process says of itself. What is absent could not be read here. */
export interface ProcessReading {
  readonly lagMs: number;
  readonly memoryBytes: number;
  readonly cpuSeconds?: number;
  readonly openFds?: number;
  readonly maxFds?: number;
  /** Seconds until each certificate of the host ends, by its name. */
  readonly certificates?: Readonly<Record<string, number>>;
}

/** `read`: once per scrape. */
export function processMeters(
  read: () => ProcessReading,
  { version, startedAtMs }: { readonly version: string; readonly startedAtMs: number },
): Meters<typeof PROCESS_METRICS> {
  const meters = new Meters(PROCESS_METRICS);
  let last: ProcessReading = { lagMs: 0, memoryBytes: 0 };
  // The first of the catalogue: the others go by what it has read.
  meters.provide("styr_event_loop_lag_seconds", () => {
    last = read();
    return last.lagMs / 1000;
  });
  meters.provide("process_resident_memory_bytes", () => last.memoryBytes);
  meters.provide("process_cpu_seconds_total", () => last.cpuSeconds);
  meters.provide("process_open_fds", () => last.openFds);
  meters.provide("process_max_fds", () => last.maxFds);
  meters.provide("styr_certificate_expiry_seconds", () => last.certificates);
  meters.provide("process_start_time_seconds", () => startedAtMs / 1000);
  meters.provide("styr_build_info", () => ({ [version]: 1 }));
  return meters;
}
