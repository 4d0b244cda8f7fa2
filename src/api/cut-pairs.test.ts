import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkNodeRow } from "../model/network-questions.ts";
import type { PeerLink } from "../model/network-report.ts";
import { withWitnesses } from "./cut-pairs.ts";

const words = "nothing comes back from it, through VXLAN (UDP port 8472)";
const cut = (node: string): PeerLink => ({ node, mode: "vxlan", state: "unreachable", words });
const well = (node: string): PeerLink => ({ node, mode: "routes", state: "reachable", rttMs: 0.3 });
const row = (node: string, peers: readonly PeerLink[]): NetworkNodeRow => ({
  node,
  answer: { revision: 1, appliedRevision: 1, parts: [], peers },
});
const wordsOf = (rows: readonly NetworkNodeRow[], node: string) =>
  withWitnesses(rows).find((one) => one.node === node)?.answer?.peers[0]?.words;

test("a node that others reach, and that answers the control plane, is not off: it is the way between the two", () => {
  const rows = [row("a", [cut("b"), well("c")]), row("b", [cut("a"), well("c")]), row("c", [well("a"), well("b")])];
  const way = ": the way between the two hosts, in one direction or both";
  assert.equal(wordsOf(rows, "a"), `${words}, though b answers the control plane, and c reaches it${way}`);
  const gone = { node: "b", trouble: "node b did not answer within 5 s" };
  assert.equal(
    wordsOf([row("a", [cut("b")]), gone, row("c", [well("b")])], "a"),
    `${words}, though c reaches it${way}`,
  );
  const old = { ...well("b"), ageMs: 60_000 };
  assert.equal(wordsOf([row("a", [cut("b")]), gone, row("c", [old])], "a"), words, "nobody has heard of it lately");
});

test("of a host that answers and passes nothing on, and of one to which no way leads, it is said as it is", () => {
  const closed = { ...cut("b"), rttMs: 0.3, words: "its host answers, and passes nothing on" };
  assert.equal(wordsOf([row("a", [closed]), row("b", [])], "a"), closed.words);
  const wayless = { ...cut("b"), mode: "none", words: "it has no pod range of the cluster's" } as const;
  assert.equal(wordsOf([row("a", [wayless]), row("b", [])], "a"), wayless.words);
});
