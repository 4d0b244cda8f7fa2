/** What the host needs beside rules: a route to the service addresses, and bridge ports on which a pod may reach itself. */
import type { Commands } from "../../seams/commands.ts";
import type { BasePlan } from "./firewall.ts";
import type { RangeRoute } from "./foreign-ranges.ts";

/** Whether what pods of one bridge send to each other passes the rules of the host. */
export async function isBridgeFiltered(commands: Commands): Promise<boolean> {
  const { stdout } = await commands.run("cat", ["/proc/sys/net/bridge/bridge-nf-call-iptables"]);
  return stdout.trim() === "1";
}

/**
 * The host itself looks up a route before any rule translates a service address: without one it could not send at all where it has no
 * default route, and with one its packets would carry an address that other hosts answer by another way. Over `lo`, because a route over
 * the bridge makes the kernel tell pods (ICMP redirect) to look for service addresses on the bridge. Where a link has all these addresses
 * there is a way already, and ours would take its neighbours away from the host, or a server. `routes`: those that are there.
 */
export async function ensureServiceRoute(
  commands: Commands,
  { serviceRange, gateway, foreign }: BasePlan,
  routes: readonly RangeRoute[],
): Promise<void> {
  if (serviceRange === undefined || gateway === undefined) return;
  const isThere = routes.some(({ dst, dev, prefsrc }) => dst === serviceRange && dev === "lo" && prefsrc === gateway);
  if (foreign.whole !== undefined || foreign.isUnrouted) {
    if (isThere) await commands.run("ip", ["-4", "route", "del", serviceRange, "dev", "lo", "src", gateway]);
    return;
  }
  if (isThere) return;
  // Refused while the bridge has no address: looked at again with the rules.
  await commands.run("ip", ["-4", "route", "replace", serviceRange, "dev", "lo", "scope", "link", "src", gateway]);
}

/** Ours alone looks like this: over `lo`, with the address of a bridge. */
export async function removeServiceRoute(commands: Commands, bridge: string): Promise<void> {
  const [gateway, ranges] = await Promise.all([
    commands.run("ip", ["-4", "-o", "addr", "show", "dev", bridge]),
    commands.run("ip", ["-4", "route", "show", "dev", "lo", "scope", "link"]),
  ]);
  const addresses = [...gateway.stdout.matchAll(/inet ([\d.]+)\//g)].map(([, address]) => address);
  for (const [, range = "", address] of ranges.stdout.matchAll(/^(\S+\/\d+) .*src ([\d.]+)/gm))
    if (addresses.includes(address)) await commands.run("ip", ["-4", "route", "del", range, "dev", "lo"]);
}

/** A bridge sends nothing back through the port it came from, unless told so: a pod that reaches itself through its service needs that. */
export async function allowHairpin(commands: Commands, bridge: string): Promise<void> {
  const { stdout } = await commands.run("bridge", ["-d", "-o", "link", "show"]);
  const ports = stdout
    .split("\n")
    .filter((line) => line.includes(` master ${bridge} `) && line.includes("hairpin off"));
  const lines = ports.flatMap((line) => {
    const [, port] = /^\d+: ([^@:\s]+)/.exec(line) ?? [];
    return port === undefined ? [] : [`link set dev ${port} hairpin on\n`];
  });
  // A port may have gone meanwhile: then nobody needs it.
  if (lines.length > 0) await commands.run("bridge", ["-force", "-batch", "-"], { input: lines.join("") });
}
