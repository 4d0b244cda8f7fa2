import type { TraceHop } from "../../model/network-questions.ts";
import type { PeerLink } from "../../model/network-report.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { HostView } from "./host-view.ts";
import { largePackets } from "./large-packets.ts";
import { nodeOf } from "./route-hop.ts";
import { largeWay, sizeAdvice, sizeWords } from "./size-look.ts";

/** Whether large packets come through to a pod of another node, and back. Undefined: it is none, or nobody can say. */
export async function sizeHop(
  state: NetworkState,
  view: HostView,
  address: string,
  peers: readonly PeerLink[],
): Promise<TraceHop | undefined> {
  const node = nodeOf(state, address);
  const peer = address === node?.address ? undefined : peers.find((one) => one.node === node?.id);
  const way = peer && largeWay(state, peer);
  if (peer === undefined || way === undefined) return undefined;
  const said = await largePackets(view, way);
  const hop = { at: state.nodeName, what: "size" };
  if (said === undefined) return undefined;
  if (said === "pass")
    return { ...hop, isOk: true, words: `packets of ${way.bytes} bytes come through to node ${peer.node}, and back` };
  return { ...hop, isOk: false, words: sizeWords(said), advice: sizeAdvice(said, peer.mode) };
}
