/** What the host needs beside rules: a route to the service addresses, and bridge ports on which a pod may reach itself. */
import type { Commands } from "../../seams/commands.ts";
import type { BasePlan } from "./firewall.ts";

/** Whether what pods of one bridge send to each other passes the rules of the host. */
export async function isBridgeFiltered(commands: Commands): Promise<boolean> {
  const { stdout } = await commands.run("sysctl", ["-en", "net.bridge.bridge-nf-call-iptables"]);
  return stdout.trim() === "1";
}

/**
 * The host itself looks up a route before any rule translates a service address: without one it could not send at all where it has no
 * default route, and with one its packets would carry an address that other hosts answer by another way. Absent when the bridge is not there yet.
 */
export async function ensureServiceRoute(commands: Commands, bridge: string, base: BasePlan): Promise<void> {
  const { serviceRange, gateway } = base;
  if (serviceRange === undefined || gateway === undefined) return;
  const { stdout } = await commands.run("ip", ["-4", "route", "show", "exact", serviceRange, "dev", bridge]);
  if (stdout.includes(`src ${gateway}`)) return;
  // Refused while the bridge has no address: looked at again with the rules.
  await commands.run("ip", ["-4", "route", "replace", serviceRange, "dev", bridge, "scope", "link", "src", gateway]);
}

/** `serviceRange` undefined: never told in this life; the route is found by what it looks like. */
export async function removeServiceRoute(commands: Commands, bridge: string, serviceRange?: string): Promise<void> {
  const range = serviceRange ?? (await foundRange(commands, bridge));
  if (range !== undefined) await commands.run("ip", ["-4", "route", "del", range, "dev", bridge]);
}

/** Ours is the one route of the bridge that no kernel made: that of its own addresses has `proto kernel`. */
async function foundRange(commands: Commands, bridge: string): Promise<string | undefined> {
  const { stdout } = await commands.run("ip", ["-4", "route", "show", "dev", bridge, "proto", "boot"]);
  return /^(\S+\/\d+) scope link src /m.exec(stdout)?.[1];
}
