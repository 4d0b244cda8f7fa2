/** How each other node is reached, for the matrix of `styr network status`. */
import type { LostProbes, PeerLink } from "../../model/network-report.ts";
import type { Passages } from "./passages.ts";
import type { Plan } from "./plan.ts";
import type { Prober } from "./prober.ts";
import { unreachedWords } from "./unreached-words.ts";

const CUT =
  "its host answers, and passes nothing on to its pods: a firewall of that host's (there: iptables -S FORWARD, nft list ruleset)";

/** So many lost in a row are no chance, also on a link that loses some. */
const ENOUGH_IN_A_ROW = 4;

export interface PeersSeen {
  readonly prober: Pick<Prober, "seen" | "loss">;
  readonly passages: Pick<Passages, "isCut"> | undefined;
  readonly vxlanPort: number;
}

export function peerLinks(
  { peers, wayless }: Plan,
  { prober, passages, vxlanPort }: PeersSeen,
  nowMs: number,
): readonly PeerLink[] {
  const led = peers.map(({ node, mode, mtu, ...peer }): PeerLink => {
    const { state: host, rttMs, atMs, failures } = prober.seen(node);
    const loss = prober.loss(node);
    const isCut = host === "reachable" && passages?.isCut(node) === true;
    const isOneOfMany = loss !== undefined && failures < ENOUGH_IN_A_ROW;
    const unreached = isOneOfMany ? lostWords(loss) : unreachedWords({ mode, ...peer }, vxlanPort);
    const said = host === "unreachable" ? unreached : peer.words;
    const [state, words] = isCut ? (["unreachable", CUT] as const) : [host, said];
    return {
      ...{ node, mode, mtu, state },
      ...(rttMs === undefined ? {} : { rttMs }),
      ...(state === "unknown" ? {} : { ageMs: Math.round(nowMs - atMs) }),
      ...(words === undefined ? {} : { words }),
      ...(loss === undefined ? {} : { loss }),
    };
  });
  const not = wayless.map(({ node, words }): PeerLink => ({ node, words, mode: "none", state: "unreachable" }));
  return [...led, ...not].sort((a, b) => (a.node < b.node ? -1 : 1));
}

function lostWords({ lost, of }: LostProbes): string {
  return `the last probe was lost, as ${lost} of the last ${of} were: its host is there, and the way to it loses packets`;
}
