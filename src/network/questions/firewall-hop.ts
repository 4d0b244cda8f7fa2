import { holds, parseSubnet } from "../../lib/subnet.ts";
import type { TraceEnd, TraceHop } from "../../model/network-questions.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { HostView } from "./host-view.ts";

export interface Passing {
  readonly from: TraceEnd;
  readonly to: string;
  readonly direction: "in" | "out";
}

/**
 * The rule of iptables that stops what this host passes on between its pods and other hosts. Undefined: it passes none, or no rule is known to;
 * that it passes is not said, since others than iptables may drop it.
 */
export async function firewallHop(
  state: NetworkState,
  view: HostView,
  { from, to, direction }: Passing,
): Promise<TraceHop | undefined> {
  const [here, there] = direction === "in" ? [to, from.address] : [from.address, to];
  if (here === undefined || there === undefined || !isPodHere(state, here) || isHere(state, there)) return undefined;
  const device = /\bdev (\S+)/.exec((await view.route(there)) ?? "")?.[1];
  if (device === undefined) return undefined;
  const rule = await view.stops({ from: from.address ?? "", to, device, direction });
  if (rule === undefined) return undefined;
  const words = `iptables' rule ${JSON.stringify(rule)} of this host stops it`;
  const advice = "iptables -S FORWARD on that host: take it away, or let pods pass before it";
  return { at: state.nodeName, what: "firewall", isOk: false, words, advice };
}

/** Not the host itself, whose packets are not passed on. */
function isPodHere(state: NetworkState, address: string): boolean {
  return isHere(state, address) && address !== state.self?.address && address !== state.gateway;
}

function isHere({ self }: NetworkState, address: string): boolean {
  return address === self?.address || holds(parseSubnet(self?.podRange ?? ""), address);
}
