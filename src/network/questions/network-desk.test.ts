import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkEntry } from "../../model/network.ts";
import type { ArriveAnswer, LeaveAnswer, NetworkStatusAnswer } from "../../model/network-questions.ts";
import type { PeerLink } from "../../model/network-report.ts";
import type { Commands } from "../../seams/commands.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { HostView } from "./host-view.ts";
import { NetworkDesk } from "./network-desk.ts";

const NODES: readonly NetworkEntry[] = [
  { kind: "node", id: "a", address: "192.0.2.1", podRange: "10.42.0.0/24" },
  { kind: "node", id: "b", address: "192.0.2.2", podRange: "10.42.1.0/24" },
];
const PEER: PeerLink = { node: "b", mode: "routes", mtu: 1500, state: "reachable", rttMs: 0.2 };

/** A host on a link that loses what is larger than 1400 bytes, and tells nobody. */
const commands: Commands = {
  run: async (program, args) => {
    const isPassing = Number(args[args.indexOf("-s") + 1]) <= 1372;
    if (program === "ping")
      return { exitCode: isPassing ? 0 : 1, stdout: isPassing ? "1 received" : "1 sent, 0 received", stderr: "" };
    return { exitCode: 0, stdout: `${args.at(-1)} via 192.0.2.2 dev eth0 src 192.0.2.1\n`, stderr: "" };
  },
};

function desk(facts: Readonly<Record<string, number>> = {}): NetworkDesk {
  const state = new NetworkState("a");
  state.hear({ type: "all", revision: 1, entries: NODES }, new Touched());
  const none = () => Promise.reject(new Error("not asked for"));
  const view = new HostView({ commands, table: "t", connect: none, lookUp: none });
  const parts = [{ name: "pod network", state: "working", facts, peers: [PEER] } as const];
  return new NetworkDesk({ state, report: { revision: 1, appliedRevision: 1, parts } }, view);
}

describe("a node on a link that loses large packets without a word", () => {
  for (const isBrief of [false, true])
    test(`says so when it is asked how it fares${isBrief ? ", briefly too" : ""}`, async () => {
      const { peers } = (await desk().answer({
        ask: "status",
        ...(isBrief ? { isBrief } : {}),
      })) as NetworkStatusAnswer;
      assert.deepEqual(
        peers.map(({ node, state, tooLarge }) => ({ node, state, tooLarge })),
        [{ node: "b", state: "reachable", tooLarge: { bytes: 1500, passing: 1400 } }],
      );
    });

  test("and in a trace, behind the route that is well", async () => {
    const to = { address: "10.42.1.7", port: 80, protocol: "tcp" } as const;
    const { ways } = (await desk().answer({
      ask: "leave",
      from: { node: "a", address: "10.42.0.1" },
      to,
    })) as LeaveAnswer;
    assert.deepEqual(
      ways[0]?.hops.map(({ what, isOk }) => [what, isOk]),
      [
        ["route", true],
        ["size", false],
      ],
    );
  });
});

test("a trace stops at the host that it leaves, and at the one where it arrives, when there is no room for a connection", async () => {
  const full = desk({ connections: 1000, "most connections": 1000 });
  const [from, to] = [
    { node: "a", address: "10.42.0.1" },
    { address: "10.42.1.7", protocol: "tcp" },
  ] as const;
  const { ways } = (await full.answer({ ask: "leave", from, to })) as LeaveAnswer;
  const { hops } = (await full.answer({
    ask: "arrive",
    from: { ...to, node: "b" },
    to: { ...to, address: "10.42.0.1" },
  })) as ArriveAnswer;
  for (const first of [ways[0]?.hops[0], hops[0]])
    assert.deepEqual([first?.at, first?.what, first?.isOk], ["a", "connections", false]);
});
