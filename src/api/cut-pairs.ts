/** Who else reaches a node that another one does not: what tells a cut between two hosts from a host that is off. Pure. */
import type { NetworkNodeRow } from "../model/network-questions.ts";
import type { PeerLink } from "../model/network-report.ts";
import { isOld } from "../model/peer-summary.ts";

/** Of those that reach it, by name. */
const MOST_NAMED = 2;

export function withWitnesses(rows: readonly NetworkNodeRow[]): readonly NetworkNodeRow[] {
  const reachedBy = new Map<string, string[]>();
  for (const { node, answer } of rows)
    for (const peer of answer?.peers ?? [])
      if (peer.state === "reachable" && !isOld(peer))
        reachedBy.set(peer.node, [...(reachedBy.get(peer.node) ?? []), node]);
  const answering = new Set(rows.flatMap(({ node, answer }) => (answer === undefined ? [] : node)));
  const told = (peer: PeerLink): PeerLink => {
    // A host that answered has a time: it is not the way that is cut.
    if (peer.state !== "unreachable" || peer.mode === "none" || peer.rttMs !== undefined) return peer;
    const by = reachedBy.get(peer.node) ?? [];
    const heard = [...(answering.has(peer.node) ? [`${peer.node} answers the control plane`] : []), ...reachWords(by)];
    if (heard.length === 0) return peer;
    const words = `${peer.words ?? "it does not answer"}, though ${heard.join(", and ")}: the way between the two hosts, in one direction or both`;
    return { ...peer, words };
  };
  return rows.map((row) => {
    const { answer } = row;
    return answer === undefined ? row : { ...row, answer: { ...answer, peers: answer.peers.map(told) } };
  });
}

function reachWords(by: readonly string[]): readonly string[] {
  const more = by.length - MOST_NAMED;
  const names = by.toSorted().slice(0, MOST_NAMED).join(", ");
  return by.length === 0
    ? []
    : [`${names}${more > 0 ? ` and ${more} more` : ""} ${by.length === 1 ? "reaches" : "reach"} it`];
}
