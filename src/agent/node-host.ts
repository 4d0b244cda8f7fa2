import { mkdir, readFile, statfs, writeFile } from "node:fs/promises";
import { arch, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { bytes } from "../lib/quantity.ts";
import type { Random } from "../seams/random.ts";

/** The machine, as read just now. */
export interface HostReading {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly memoryAvailableBytes: number;
  readonly diskBytes: number;
  readonly diskFreeBytes: number;
  readonly machineId: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  /** As Go and Kubernetes name them: amd64, arm64. */
  readonly architecture: string;
}

/** The machine that the agent is on, behind an interface so that the simulator can have many. */
export interface NodeHost {
  read(): Promise<HostReading>;
  /** Whether the host is being shut down or rebooted. */
  isGoingDown?(): Promise<boolean>;
}

const GO_ARCH: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", arm: "arm", arm64: "arm64" };

/** Reads /proc, /etc and the file system that `stateDirectory` is on. */
export class SystemHost implements NodeHost {
  readonly #stateDirectory: string;
  readonly #random: Random;
  #machineId: string | undefined;

  constructor(stateDirectory: string, random: Random) {
    this.#stateDirectory = stateDirectory;
    this.#random = random;
  }

  async read(): Promise<HostReading> {
    const disk = await statfs(this.#stateDirectory);
    this.#machineId ??= await this.#readMachineId();
    return {
      cpuMillis: Math.max(1, cpus().length) * 1000,
      memoryBytes: totalmem(),
      memoryAvailableBytes: availableMemory((await readIfThere("/proc/meminfo")) ?? ""),
      diskBytes: disk.blocks * disk.bsize,
      diskFreeBytes: disk.bavail * disk.bsize,
      machineId: this.#machineId,
      bootId: bootIdOf(await readIfThere("/proc/sys/kernel/random/boot_id"), await readIfThere("/proc/1/stat")),
      kernelVersion: release(),
      osImage: osName((await readIfThere("/etc/os-release")) ?? ""),
      architecture: GO_ARCH[arch()] ?? arch(),
    };
  }

  /** shutdown(8) and systemd make /run/nologin on their way down; runlevels 0 and 6 are halt and reboot. */
  async isGoingDown(): Promise<boolean> {
    for (const path of ["/run/nologin", "/run/systemd/shutdown/scheduled"]) {
      if ((await readIfThere(path)) !== undefined) return true;
    }
    return /^[06]$/.test(runlevelOf((await bytesIfThere("/run/utmp")) ?? Buffer.alloc(0)) ?? "");
  }

  /** machine-id(5): 32 hex digits. Machines without one get one of ours, kept with the state. */
  async #readMachineId(): Promise<string> {
    const file = join(this.#stateDirectory, "machine-id");
    for (const candidate of ["/etc/machine-id", file]) {
      const text = (await readIfThere(candidate))?.trim() ?? "";
      if (/^[0-9a-f]{32}$/.test(text)) return text;
    }
    const fresh = this.#random.uuid().replaceAll("-", "");
    await mkdir(this.#stateDirectory, { recursive: true });
    await writeFile(file, `${fresh}\n`, { mode: 0o444 });
    return fresh;
  }
}

/** utmp(5): a record of type RUN_LVL (1) by the user "runlevel" has the level in its pid's lowest byte; the fields before the name lie alike everywhere. */
export function runlevelOf(utmp: Buffer): string | undefined {
  const begin = utmp.lastIndexOf("runlevel\0") - UTMP_USER_AT;
  if (begin < 0 || utmp.readInt16LE(begin) !== 1) return undefined;
  return String.fromCharCode(utmp.readInt32LE(begin + 4) & 0xff);
}

const UTMP_USER_AT = 44;

/** A first process this much younger than the kernel (in ticks, of which Linux has 100 per second) is a container's. */
const OWN_BOOT_TICKS = 3000;

/**
 * The kernel's boot id. Inside a container it says nothing of the container's own restarts, which end everything in it
 * just as a reboot does: there the start of the first process is added. proc(5): field 22 of stat, after a name that may hold anything.
 */
export function bootIdOf(bootId: string | undefined, statOfFirst: string | undefined): string {
  const kernel = (bootId ?? "unknown").trim();
  const fields = statOfFirst?.slice(statOfFirst.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields?.[19] ?? 0);
  return ticks > OWN_BOOT_TICKS ? `${kernel}.${ticks}` : kernel;
}

/** What programs may still take without swapping; the kernel's own estimate. */
export function availableMemory(meminfo: string): number {
  const [, kibibytes] = /^MemAvailable:\s+(\d+) kB/m.exec(meminfo) ?? [];
  return kibibytes === undefined ? totalmem() : bytes(`${kibibytes}Ki`);
}

/** PRETTY_NAME of os-release(5). */
export function osName(osRelease: string): string {
  return /^PRETTY_NAME="?([^"\n]*)"?/m.exec(osRelease)?.[1] ?? "Linux";
}

async function readIfThere(path: string): Promise<string | undefined> {
  return (await bytesIfThere(path))?.toString("utf8");
}

async function bytesIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
