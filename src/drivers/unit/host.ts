import { readFileSync } from "node:fs";
import { arch, hostname, release, totalmem } from "node:os";
import type { HostFacts } from "../../model/unit/specifiers.ts";
import { readBootId } from "../keeper/proc.ts";

export type Host = Required<HostFacts>;

/** What specifiers and conditions ask of this host. */
export function readHost(): Host {
  return {
    hostname: hostname(),
    machineId: readMachineId(),
    bootId: readBootId(),
    kernelRelease: release(),
    architecture: arch(),
    memoryBytes: totalmem(),
  };
}

/** Bare containers have none; specifiers then give nothing. */
function readMachineId(): string {
  try {
    return readFileSync("/etc/machine-id", "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
