import { readFileSync } from "node:fs";

const MIB = 2 ** 20;
/** Share of the last ten seconds in which everything that could run waited for memory (kernel: PSI). */
const MOST_WAITING = 20;

/** Why the host is short of memory, from the texts of /proc/meminfo and /proc/pressure/memory (absent on older kernels). */
export function memoryWords(meminfo: string, pressure: string | undefined): string | undefined {
  const [, waiting] = /^full avg10=([\d.]+)/m.exec(pressure ?? "") ?? [];
  if (Number(waiting ?? 0) >= MOST_WAITING)
    return `everything waits for memory ${Math.round(Number(waiting))}% of the time`;
  const [total, available] = [field(meminfo, "MemTotal"), field(meminfo, "MemAvailable")];
  if (total === undefined || available === undefined) return undefined;
  // Kubernetes' threshold for the condition MemoryPressure, as node-report.ts has it.
  if (available >= Math.min(100 * MIB, total / 20)) return undefined;
  return `less than ${Math.round(Math.min(100 * MIB, total / 20) / MIB)} MiB of memory are left`;
}

/** Of this host. Files of the kernel's memory: no disk can hold them up. */
export function hostMemoryWords(): string | undefined {
  return memoryWords(read("/proc/meminfo") ?? "", read("/proc/pressure/memory"));
}

function field(meminfo: string, name: string): number | undefined {
  const [, kibibytes] = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(meminfo) ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** EOPNOTSUPP: the kernel has PSI and was started without it. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "EOPNOTSUPP"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
