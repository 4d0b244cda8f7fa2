import { formatAddress, holds, parseAddress, parseSubnet } from "../../lib/subnet.ts";
import type { NodeEntry } from "../../model/network.ts";
import type { TraceHop, TraceWay } from "../../model/network-questions.ts";
import type { PeerLink } from "../../model/network-report.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { HostView } from "./host-view.ts";

/** The node whose pod range or own address it is. */
export function nodeOf({ tables }: NetworkState, address: string): NodeEntry | undefined {
  const value = parseAddress(address);
  return [...tables.node.values()].find((node) => {
    return node.address === address || holds(parseSubnet(node.podRange ?? ""), value ?? address);
  });
}

/** How packets to that address leave this host: by the kernel's own word, and by what the pod network knows of the other node. */
export async function routeHop(
  state: NetworkState,
  view: HostView,
  { address, node: meant }: Pick<TraceWay, "address" | "node">,
  peers: readonly PeerLink[],
  what: "route" | "way back",
): Promise<TraceHop> {
  const hop = { at: state.nodeName, what };
  const node = nodeOf(state, address);
  if (meant !== undefined && node !== undefined && node.id !== meant) {
    const words = `${address} is of node ${node.id}, and what is meant runs on node ${meant}: packets do not come there`;
    const advice = `styr drain ${meant}, and uncordon it when its pods are gone: they come back with addresses of its own`;
    return { ...hop, isOk: false, words, advice };
  }
  const route = await view.route(address);
  if (route === undefined) {
    const words = `no route leads to ${address}`;
    return {
      ...hop,
      isOk: false,
      words,
      advice: node ? `is the pod network of this node working? styr network status` : "the host's own routes",
    };
  }
  const where =
    node === undefined ? "outside the cluster" : node.id === state.nodeName ? "on this node" : `on node ${node.id}`;
  // What the pod network knows of is the way to its pods: its own address is the host's to reach, and nothing wraps what goes there.
  const peer = address === node?.address ? undefined : peers.find((one) => one.node === node?.id);
  if (node === undefined || node.id === state.nodeName || peer === undefined)
    return { ...hop, isOk: true, words: `${address} is ${where}: ${route}` };
  const link = [
    peer.mode === "none" ? "no way of the pod network" : peer.mode,
    ...(peer.mtu === undefined ? [] : [`MTU ${peer.mtu}`]),
    ...(peer.rttMs === undefined ? [] : [`${peer.rttMs.toFixed(2)} ms`]),
    ...(peer.loss === undefined ? [] : [`${peer.loss.lost} of the last ${peer.loss.of} probes lost`]),
  ].join(", ");
  const words = `${address} is ${where}: ${route} (${link})`;
  const expected = wayOf(node, peer);
  if (expected !== undefined && !expected.isIt(route))
    return {
      ...hop,
      isOk: false,
      words: `${words}; but that is not the pod network's way, which is ${expected.words}`,
      advice: "somebody took its routes or devices away: they are made anew within 5 s; styr network status",
    };
  if (peer.state !== "unreachable") return { ...hop, isOk: true, words };
  const why = peer.words ?? "it does not answer over the pod network";
  // Who hears it besides is what tells a host that is off from a way that is cut; one that answered has a time.
  const isHeard = node.isSilent !== true && peer.mode !== "none" && peer.rttMs === undefined;
  const heard = isHeard ? `, though the control plane has not lost node ${node.id}` : "";
  return {
    ...hop,
    isOk: false,
    words: `${words}; ${why}${heard}`,
    advice: isHeard
      ? `the way between ${state.nodeName} and ${node.id} (${node.address}), in one direction or both: ping from each to the other; does a firewall let it pass? styr network status: who else reaches it?`
      : `does node ${node.id} run? does a firewall between the hosts let it pass?`,
  };
}

/** As network/pod-network/routes.ts makes them. */
function wayOf({ address, podRange = "" }: NodeEntry, { mode }: PeerLink) {
  const range = parseSubnet(podRange);
  if (mode === "none" || range === undefined) return undefined;
  if (mode === "wireguard") return { words: "WireGuard's device", isIt: (route: string) => route.startsWith("dev ") };
  const gateway = mode === "vxlan" ? formatAddress(range.first) : address;
  return { words: `via ${gateway}`, isIt: (route: string) => route.startsWith(`via ${gateway} `) };
}
