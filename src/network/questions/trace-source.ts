/** From which address a connection comes, as its other end sees it: what the rules of services and of the pod network make of it. */
import { holds, parseSubnet } from "../../lib/subnet.ts";
import type { TraceEnd } from "../../model/network-questions.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { HostView } from "./host-view.ts";
import { nodeOf } from "./route-hop.ts";

/** A pod of this node, or a unit's container on the pods' network; else this host, or somebody of another. */
export function isPodHere(state: NetworkState, { node, address }: TraceEnd): boolean {
  return node === state.nodeName && address !== undefined && isOwn(state, address) && address !== state.gateway;
}

/** Of what a Service sends to `target`. Undefined: as it was. */
export function servedSource(
  state: NetworkState,
  from: TraceEnd,
  { target, isNodePort }: { readonly target: string; readonly isNodePort: boolean },
): string | undefined {
  const host = state.gateway ?? state.self?.address;
  if (isPodHere(state, from)) return target === from.address ? host : undefined;
  // The host's route to service addresses has its address among the pods.
  if (!isNodePort) return host;
  return isOwn(state, target) ? undefined : host;
}

/** Of what goes straight to an address. */
export async function directSource(
  state: NetworkState,
  view: HostView,
  from: TraceEnd,
  address: string,
): Promise<string | undefined> {
  const node = nodeOf(state, address);
  if (!isPodHere(state, from)) return from.node === state.nodeName ? await view.source(address) : undefined;
  const isTranslated = node === undefined || (node.address === address && node.id !== state.nodeName);
  return isTranslated ? state.self?.address : undefined;
}

function isOwn({ self }: NetworkState, address: string): boolean {
  return holds(parseSubnet(self?.podRange ?? ""), address);
}
