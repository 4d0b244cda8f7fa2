/** How each other node is reached, for the matrix of `styr network status`. */
import type { PeerLink } from "../../model/network-report.ts";
import type { Passages } from "./passages.ts";
import type { Plan } from "./plan.ts";
import type { Prober } from "./prober.ts";
import { unreachedWords } from "./unreached-words.ts";

const CUT =
  "its host answers, and passes nothing on to its pods: a firewall of that host's (there: iptables -S FORWARD, nft list ruleset)";

export interface PeersSeen {
  readonly prober: Pick<Prober, "seen">;
  readonly passages: Pick<Passages, "isCut"> | undefined;
  readonly vxlanPort: number;
}

export function peerLinks(
  { peers, wayless }: Plan,
  { prober, passages, vxlanPort }: PeersSeen,
  nowMs: number,
): readonly PeerLink[] {
  const led = peers.map(({ node, mode, mtu, ...peer }): PeerLink => {
    const { state: host, rttMs, atMs } = prober.seen(node);
    const isCut = host === "reachable" && passages?.isCut(node) === true;
    const said = host === "unreachable" ? unreachedWords({ mode, ...peer }, vxlanPort) : peer.words;
    const [state, words] = isCut ? (["unreachable", CUT] as const) : [host, said];
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
