import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseSubnet, type Subnet } from "../../lib/subnet.ts";
import type { ClusterEntry, NodeEntry } from "../../model/network.ts";
import type { ForeignRoute } from "./foreign-routes.ts";
import { type HostWay, isPlannedAlike, type PlanFacts, planPeers } from "./plan.ts";

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
];

describe("the way from one node to another's pods", () => {
  for (const { why, plan, is, words } of rows)
    test(why, () => {
      const [peer] = plan.peers;
      assert.deepEqual([peer?.mode, peer?.device, peer?.mtu], is);
      if (words === undefined) assert.equal(peer?.words, undefined);
      else assert.match(peer?.words ?? "", words);
    });

  const unencrypted = [
    { why: "the other end cannot encrypt", plan: planned("wireguard"), words: /b has no WireGuard/ },
    { why: "this end cannot", plan: planned("wireguard", key, { hasWireguard: false }), words: /a has no WireGuard/ },
    {
      why: "two nodes claim one key",
      plan: planned("wireguard", key, { nodes: [node("b", key), node("c", key)] }),
      words: /same key/,
    },
  ];
  for (const { why, plan, words } of unencrypted)
    test(`encryption was asked for and ${why}: nothing is sent in clear, by no route, and it is said`, () => {
      assert.deepEqual(plan.peers, []);
      assert.equal(plan.wayless[0]?.refused, "10.42.2.0/24");
      assert.match(plan.wayless[0]?.words ?? "", /^NOT CONNECTED, as nothing is sent unencrypted: /);
      assert.match(plan.wayless[0]?.words ?? "", words);
    });

  const range = (text: string) => parseSubnet(text) as Subnet;
  const foreign: readonly ForeignRoute[] = [
    { destination: range("0.0.0.0/0"), device: "eth0", gateway: "198.51.100.1" },
    { destination: range("192.0.2.0/24"), device: "eth0" },
    { destination: range("10.8.0.0/16"), device: "tun0", gateway: "203.0.113.7" },
  ];
  for (const { podRange, words } of [
    { podRange: "192.0.2.64/26", words: /192\.0\.2\.0\/24 is what this host reaches on eth0/ },
    { podRange: "192.0.0.0/16", words: /reaches on eth0/ },
    { podRange: "10.8.0.0/16", words: /another route to it, on tun0/ },
    { podRange: "198.51.100.0/24", words: /198\.51\.100\.1 in it is a gateway/ },
    { podRange: "203.0.113.0/26", words: /203\.0\.113\.7 in it is a gateway/ },
    { podRange: "198.18.7.0/24", words: /198\.18\.7\.9 in it is a host of the cluster/ },
    { podRange: "198.19.0.0/24", words: /198\.19\.0\.4 in it is a host of the cluster/ },
    { podRange: "10.42.1.0/26", words: /is this node's own/ },
    { podRange: "nonsense", words: /no IPv4 range/ },
  ])
    test(`a node whose range is ${podRange} takes nothing that this host reaches, and it is said why`, () => {
      const nodes = [node("b", { podRange }), node("c", { address: "198.18.7.9" })];
      const { peers, wayless } = planned("auto", {}, { nodes, foreign, servers: ["198.19.0.4"] });
      assert.ok(!peers.some((peer) => peer.node === "b"));
      assert.match(wayless.find((one) => one.node === "b")?.words ?? "", words);
    });

  test("a range inside of a wider route by a gateway is a node's as any other", () => {
    assert.equal(planned("auto", { podRange: "10.8.3.0/24" }, { foreign }).peers[0]?.podRange, "10.8.3.0/24");
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

test("who is silent, a way in or in another zone is reached the same way; who is elsewhere, or new, is not", () => {
  const one = node("b");
  assert.ok(isPlannedAlike(one, node("b", { isSilent: true, zone: "z", isWayIn: true })));
  for (const more of [
    { address: "192.0.2.9" },
    { podRange: "10.42.9.0/24" },
    { wireguardKey: "k" },
    { rangeProblem: "p" },
  ])
    assert.ok(!isPlannedAlike(one, node("b", more)), JSON.stringify(more));
  assert.ok(!isPlannedAlike(undefined, one) && !isPlannedAlike(one, undefined));
});

test("ten thousand nodes are planned in a moment", () => {
  const nodes = Array.from({ length: 10_000 }, (_, n): NodeEntry => {
    const [high, low] = [n >> 8, n & 255];
    return { kind: "node", id: `n${n}`, address: `192.${high}.${low}.7`, podRange: `10.${high}.${low}.0/24` };
  });
  const ways = new Map(nodes.map(({ address }) => [address, LINK]));
  const before = process.cpuUsage();
  const { peers } = planned("auto", {}, { self: { id: "a", podRange: "172.16.0.0/24" }, nodes, ways });
  const { user } = process.cpuUsage(before);
  assert.equal(peers.length, nodes.length);
  assert.ok(user < 2_000_000, `${user} µs: each with each other`);
});
