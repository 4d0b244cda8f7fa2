import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClusterEntry, NodeEntry } from "../../model/network.ts";
import { type HostWay, type PlanFacts, planPeers } from "./plan.ts";

const node = (id: string, more: Partial<NodeEntry> = {}): NodeEntry => {
  const n = id.charCodeAt(0) - 96;
  return { kind: "node", id, address: `192.0.2.${n}`, podRange: `10.42.${n}.0/24`, ...more };
};
const LINK: HostWay = { device: "eth0", isOnLink: true, mtu: 1500 };
const ROUTER: HostWay = { device: "eth0", isOnLink: false, mtu: 1400 };

function planned(mode: ClusterEntry["mode"], b: Partial<NodeEntry> = {}, more: Partial<PlanFacts> = {}) {
  return planPeers({
    cluster: { mode },
    self: { id: "a", podRange: "10.42.1.0/24" },
    nodes: [node("b", b), node("a")],
    ways: new Map([["192.0.2.2", LINK]]),
    devices: { vxlan: "styrmann-vxlan", wireguard: "styrmann-wg" },
    hasWireguard: true,
    fallenBack: new Set(),
    ...more,
  });
}

const apart = { ways: new Map([["192.0.2.2", ROUTER]]) };
const key = { wireguardKey: "b's key" };
const rows = [
  { why: "one link: nothing is wrapped", plan: planned("auto"), is: ["routes", "eth0", 1500] },
  { why: "a router between: wrapped", plan: planned("auto", {}, apart), is: ["vxlan", "styrmann-vxlan", 1350] },
  {
    why: "a link that drops pods' packets",
    plan: planned("auto", {}, { fallenBack: new Set(["b"]) }),
    is: ["vxlan", "styrmann-vxlan", 1450],
    words: /do not pass the link/,
  },
  { why: "wrapped, because it was asked for", plan: planned("vxlan"), is: ["vxlan", "styrmann-vxlan", 1450] },
  {
    why: "routes are asked for, and cannot be had",
    plan: planned("routes", {}, apart),
    is: ["vxlan", "styrmann-vxlan", 1350],
    words: /a router is between/,
  },
  { why: "encrypted", plan: planned("wireguard", key), is: ["wireguard", "styrmann-wg", 1420] },
  {
    why: "the other end cannot encrypt, and it is said loudly",
    plan: planned("wireguard"),
    is: ["routes", "eth0", 1500],
    words: /^NOT ENCRYPTED: b has no WireGuard/,
  },
  {
    why: "this end cannot",
    plan: planned("wireguard", key, { hasWireguard: false }),
    is: ["routes", "eth0", 1500],
    words: /^NOT ENCRYPTED: a has no WireGuard/,
  },
];

describe("the way from one node to another's pods", () => {
  for (const { why, plan, is, words } of rows)
    test(why, () => {
      const [peer] = plan.peers;
      assert.deepEqual([peer?.mode, peer?.device, peer?.mtu], is);
      if (words === undefined) assert.equal(peer?.words, undefined);
      else assert.match(peer?.words ?? "", words);
    });

  test("a node without a range, and one that no route leads to, have none, and it is said why", () => {
    const full = "no pod range is left";
    const { peers, wayless } = planned(
      "auto",
      {},
      { nodes: [node("c"), { kind: "node", id: "b", address: "192.0.2.2", rangeProblem: full }] },
    );
    assert.deepEqual(peers, []);
    assert.deepEqual(wayless, [
      { node: "b", words: full },
      { node: "c", words: "no route of this host leads to 192.0.2.3" },
    ]);
  });
});
