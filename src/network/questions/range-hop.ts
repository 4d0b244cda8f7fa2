import { holds, parseSubnet } from "../../lib/subnet.ts";
import type { ServiceEntry } from "../../model/network.ts";
import type { TraceHop } from "../../model/network-questions.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { foreignAt } from "../services/foreign-ranges.ts";
import type { HostView } from "./host-view.ts";

/** What this host does with an address of the service range, where that is not what its Service says, or nobody has it. */
export async function rangeHop(
  state: NetworkState,
  view: HostView,
  address: string,
  service?: ServiceEntry,
): Promise<TraceHop | undefined> {
  const { serviceRange = "" } = state.cluster ?? {};
  if (!holds(parseSubnet(serviceRange), address)) return undefined;
  const { namespace } = service ?? {};
  const hop = { at: state.nodeName, what: "service", ...(namespace === undefined ? {} : { namespace }) };
  const foreign = await view.foreign(serviceRange);
  const its = foreignAt(foreign, address) ?? (service === undefined ? foreign.whole : undefined);
  const part = `${address} is of the service range ${serviceRange}`;
  if (its !== undefined && service === undefined)
    return { ...hop, isOk: true, words: `${part}, and this host has ${its.range} on ${its.device}: that goes first` };
  if (its !== undefined)
    return {
      ...hop,
      isOk: false,
      words: `Service ${service?.id} has ${address}, but this host has ${its.range} on ${its.device}: what is sent there goes to that network`,
      advice: "give the Service another clusterIP, or that network another range",
    };
  if (service !== undefined) return undefined;
  const words = `${part}, and no Service has it: this node's rules refuse it at once`;
  return {
    ...hop,
    isOk: false,
    words,
    advice: "styr services; a network of the host's own there has a route: ip route",
  };
}
