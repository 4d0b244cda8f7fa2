import type { TraceHop } from "../../model/network-questions.ts";
import type { LocalPod, NetworkState } from "../plane/network-state.ts";
import { type Direction, IN_MAP, OUT_MAP } from "../policy/policy-rules.ts";
import { type Packet, type PolicyVerdict, verdictOf } from "../policy/policy-verdict.ts";
import type { HostView } from "./host-view.ts";

interface Asked {
  readonly state: NetworkState;
  readonly view: HostView;
  readonly direction: Direction;
  readonly packet: Packet;
}

/** What NetworkPolicies of this node's pod say, by what this node was told and by what its kernel has. */
export async function policyHop(pod: LocalPod, { state, view, direction, packet }: Asked): Promise<TraceHop> {
  const verdict = verdictOf(state, pod, direction, packet);
  const what = direction === "in" ? "policy in" : "policy out";
  const hop = { at: state.nodeName, what, namespace: pod.namespace };
  const told = words(pod, verdict, direction, packet);
  const isOk = verdict.selecting.length === 0 || verdict.allowedBy !== undefined;
  const differs = await difference(pod, verdict, view, direction, packet);
  if (differs !== undefined)
    return {
      ...hop,
      isOk: false,
      words: `${told}, but ${differs}`,
      advice: "styr network status, and the log of this node's agent",
    };
  if (isOk) return { ...hop, isOk, words: told };
  const side = direction === "in" ? "ingress rule (from, ports)" : "egress rule (to, ports)";
  return { ...hop, isOk, words: told, advice: `add an ${side} to one of them, or labels that one of them means` };
}

function words(pod: LocalPod, { selecting, allowedBy }: PolicyVerdict, direction: Direction, packet: Packet): string {
  const [name, way] = [`${pod.namespace}/${pod.name}`, direction === "in" ? "comes in" : "goes out"];
  if (selecting.length === 0) return `no NetworkPolicy selects ${name} for what ${way}`;
  const what = packet.port === undefined ? packet.protocol : `${packet.protocol} ${packet.port}`;
  if (allowedBy) return `NetworkPolicy ${allowedBy.policy}: ${what} passes: ${allowedBy.peers}`;
  const whom = direction === "in" ? `from ${packet.from}` : `to ${packet.to}`;
  const policies =
    selecting.length === 1 ? `NetworkPolicy ${selecting[0]} selects` : `NetworkPolicies ${selecting.join(", ")} select`;
  return `${policies} ${name}, and nothing there lets ${what} ${whom} pass`;
}

/** Where the kernel has other rules than those that this node was told of. */
async function difference(
  pod: LocalPod,
  { selecting, allowedBy }: PolicyVerdict,
  view: HostView,
  direction: Direction,
  packet: Packet,
): Promise<string | undefined> {
  const element = await view.element(direction === "in" ? IN_MAP : OUT_MAP, pod.address);
  const isSelected = selecting.length > 0;
  if (isSelected && (element === undefined || element === "absent"))
    return "the kernel of this node does not have these rules: they are not enforced";
  if (!isSelected && element !== undefined && element !== "absent")
    return "the kernel of this node still has rules of policies for it";
  if (allowedBy?.set === undefined) return undefined;
  const peer = direction === "in" ? packet.from : packet.to;
  return (await view.element(allowedBy.set, peer)) === "absent"
    ? `the kernel of this node does not have ${peer} among them`
    : undefined;
}
