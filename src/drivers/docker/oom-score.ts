/** How far down this host lets a container's OOM score go. */
import { readFile } from "node:fs/promises";
import type { Engine } from "./engine.ts";

const CAP_SYS_RESOURCE = 24n;

/**
 * Lowering a score needs CAP_SYS_RESOURCE, which a host inside a VM or a container may lack; runc then fails with words nobody understands
 * ("can't get final child's PID from pipe"). There the floor is our own score. An engine on another host is taken to have the capability.
 */
export async function oomScoreFloor(engine: Engine): Promise<number> {
  if (engine.address.socketPath === undefined) return -1000;
  const status = await readFile("/proc/self/status", "utf8");
  const [, mask = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  if ((BigInt(`0x${mask}`) >> CAP_SYS_RESOURCE) & 1n) return -1000;
  return Number(await readFile("/proc/self/oom_score_adj", "utf8"));
}
