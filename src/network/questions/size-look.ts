/** Whether large packets come through to other nodes, for `styr network status`: a packet to each of some of them whenever somebody looks. */
import { gatewayOf } from "../../lib/subnet.ts";
import type { PeerLink, TooLarge } from "../../model/network-report.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { VXLAN_BYTES, WIREGUARD_BYTES } from "../pod-network/plan.ts";
import type { HostView } from "./host-view.ts";
import { type LargeWay, largePackets } from "./large-packets.ts";

/** Each costs a process; and whoever asks waits for the answer. */
const MOST_AT_ONCE = 16;

export class SizeLook {
  readonly #view: HostView;
  /** In which look each was asked, and whether large packets were lost then. */
  readonly #asked = new Map<string, { readonly look: number; readonly isLost: boolean }>();
  #look = 0;

  constructor(view: HostView) {
    this.#view = view;
  }

  /** With what was found now: those to which large packets were lost, then those that were not asked for longest. */
  async look(state: NetworkState, peers: readonly PeerLink[]): Promise<readonly PeerLink[]> {
    const names = new Set(peers.map(({ node }) => node));
    for (const node of [...this.#asked.keys()]) if (!names.has(node)) this.#asked.delete(node);
    const look = ++this.#look;
    const ways = peers.flatMap((peer) => largeWay(state, peer) ?? []);
    const found = await Promise.all(
      this.#chosen(ways).map(async (way) => [way.node, await this.#ask(way, look)] as const),
    );
    const lost = new Map(found);
    return peers.map((peer) => withSize(peer, lost.get(peer.node)));
  }

  async #ask(way: LargeWay & { readonly node: string }, look: number): Promise<TooLarge | undefined> {
    const said = await largePackets(this.#view, way);
    const isLost = said !== undefined && said !== "pass";
    this.#asked.set(way.node, { look, isLost });
    return isLost ? said : undefined;
  }

  #chosen<Way extends { readonly node: string }>(ways: readonly Way[]): readonly Way[] {
    const lookOf = ({ node }: Way) => this.#asked.get(node)?.look ?? 0;
    const all = ways.toSorted((a, b) => lookOf(a) - lookOf(b));
    const lost = all.filter(({ node }) => this.#asked.get(node)?.isLost === true).slice(0, MOST_AT_ONCE / 2);
    return [...lost, ...all.filter((way) => !lost.includes(way))].slice(0, MOST_AT_ONCE);
  }
}

/** From this node to the pods of another that is reached. */
export function largeWay(
  { gateway, tables }: NetworkState,
  { node, state, mtu }: PeerLink,
): (LargeWay & { readonly node: string }) | undefined {
  const podRange = tables.node.get(node)?.podRange;
  if (state !== "reachable" || mtu === undefined || gateway === undefined || podRange === undefined) return undefined;
  return { node, from: gateway, to: gatewayOf(podRange), bytes: mtu };
}

function withSize(peer: PeerLink, tooLarge: TooLarge | undefined): PeerLink {
  if (tooLarge === undefined) return peer;
  const { words, mode } = peer;
  const said = `${sizeWords(tooLarge)}: ${sizeAdvice(tooLarge, mode)}`;
  return { ...peer, tooLarge, words: words === undefined ? said : `${words}; ${said}` };
}

export function sizeWords({ bytes, passing }: TooLarge): string {
  return `packets of ${bytes} bytes get lost on the way there or back, and nobody is told that they are too large; those of ${passing} come through. Small answers come, large ones hang`;
}

/** What tunnels add is the card's to have room for. */
export function sizeAdvice({ bytes, passing }: TooLarge, mode: PeerLink["mode"]): string {
  const card = passing + (mode === "vxlan" ? VXLAN_BYTES : mode === "wireguard" ? WIREGUARD_BYTES : 0);
  return `mend the link between the two hosts (or let ICMP "fragmentation needed" pass on it), or give the cards of both an MTU of ${card} (ip link set dev CARD mtu ${card}; now ${bytes + card - passing})`;
}
