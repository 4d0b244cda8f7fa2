/** How each other node is reached, for the matrix of `styr network status`. */
import type { PeerLink } from "../../model/network-report.ts";
import type { Plan } from "./plan.ts";
import type { Prober } from "./prober.ts";

export function peerLinks({ peers, wayless }: Plan, prober: Pick<Prober, "seen">, nowMs: number): readonly PeerLink[] {
  const led = peers.map(({ node, mode, mtu, words }): PeerLink => {
    const { state, rttMs, atMs } = prober.seen(node);
    return {
      ...{ node, mode, mtu, state },
      ...(rttMs === undefined ? {} : { rttMs }),
      ...(state === "unknown" ? {} : { ageMs: Math.round(nowMs - atMs) }),
      ...(words === undefined ? {} : { words }),
    };
  });
  const not = wayless.map(({ node, words }): PeerLink => ({ node, words, mode: "none", state: "unreachable" }));
  return [...led, ...not].sort((a, b) => (a.node < b.node ? -1 : 1));
}
