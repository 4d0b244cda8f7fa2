/** The devices that wrap packets for hosts behind a router, or encrypt them. Made when the first peer needs one, and left while one does. */
import type { Commands } from "../../seams/commands.ts";
import { type HostNet, HostNetError, type TunnelDevice } from "./host-net.ts";
import { type NetNames, tunnelAddressOf, tunnelMacOf } from "./names.ts";

/** Flannel has 1, Swarm counts from 4096. */
export const VNI = 4242;
export const USUAL_VXLAN_PORT = 8472;

export interface VxlanWish {
  readonly podRange: string;
  /** Packets are sent from it, if it is this host's. */
  readonly hostAddress: string;
  readonly port: number;
  readonly mtu: number;
}

/** Idempotent: one that is as it should be stays, so that nothing that goes through it is cut. */
export async function ensureVxlan(host: HostNet, commands: Commands, names: NetNames, wish: VxlanWish): Promise<void> {
  const device = names.vxlan;
  const local = hasAddress(await host.addresses(), wish.hostAddress);
  const before = await host.tunnel(device);
  const isRight = before !== undefined && isAsWished(before, wish, local);
  if (before && !isRight) await host.removeDevice(device);
  if (!isRight) await addVxlan(host, device, wish, local);
  else if (before.mtu !== wish.mtu) await host.ip("link", "set", device, "mtu", String(wish.mtu));
  await host.ip("addr", "replace", `${tunnelAddressOf(wish.podRange)}/32`, "dev", device);
  await host.ip("link", "set", device, "up");
  // Packets come wrapped from a host to which, for a moment, plain routes lead: a strict filter would drop them. The larger of this and "all" counts.
  await commands.run("sysctl", ["-qw", `net/ipv4/conf/${device}/rp_filter=2`]);
}

function hasAddress(rows: Awaited<ReturnType<HostNet["addresses"]>>, address: string): boolean {
  return rows.some(({ addr_info }) => addr_info.some(({ local }) => local === address));
}

function isAsWished(found: TunnelDevice, { podRange, port, hostAddress }: VxlanWish, local: boolean): boolean {
  const isSameEnd = found.local === (local ? hostAddress : undefined);
  return found.vni === VNI && found.port === port && found.mac === tunnelMacOf(podRange) && isSameEnd;
}

async function addVxlan(host: HostNet, device: string, wish: VxlanWish, local: boolean): Promise<void> {
  const what = ["address", tunnelMacOf(wish.podRange), "mtu", String(wish.mtu), "type", "vxlan", "id", String(VNI)];
  const end = local ? ["local", wish.hostAddress] : [];
  try {
    await host.ip("link", "add", device, ...what, ...end, "dstport", String(wish.port), "nolearning");
  } catch (error) {
    if (!(error instanceof HostNetError)) throw error;
    throw new HostNetError(
      `VXLAN on UDP port ${wish.port} cannot be had (${error.message}); another port: styr up --vxlan-port`,
    );
  }
}
