import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkEntry } from "../../model/network.ts";
import type { PeerLink } from "../../model/network-report.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { HostView } from "./host-view.ts";
import { routeHop } from "./route-hop.ts";

const NODES: readonly NetworkEntry[] = [
  { kind: "node", id: "a", address: "192.0.2.1", podRange: "10.42.0.0/24" },
  { kind: "node", id: "b", address: "192.0.2.2", podRange: "10.42.1.0/24" },
];

function hopBy(
  route: string,
  mode: PeerLink["mode"],
  to: { readonly address: string; readonly node?: string },
  { isSilent, ...seen }: { -readonly [Key in keyof PeerLink]?: PeerLink[Key] | undefined } & { isSilent?: true } = {},
) {
  const state = new NetworkState("a");
  state.hear(
    { type: "all", revision: 1, entries: NODES.map((node) => (isSilent ? { ...node, isSilent } : node)) },
    new Touched(),
  );
  const stdout = `${to.address} ${route} src 192.0.2.1 uid 0\n    cache\n`;
  const view = new HostView({
    commands: { run: () => Promise.resolve({ exitCode: 0, stdout, stderr: "" }) },
    table: "t",
    connect: () => Promise.reject(new Error("not asked for")),
    lookUp: () => Promise.reject(new Error("not asked for")),
  });
  const peer = { node: "b", mode, state: "reachable", rttMs: 0.5, ...seen } as PeerLink;
  return routeHop(state, view, to, [peer], "route");
}

describe("the way to a pod of another node", () => {
  test("says how many of the last probes were lost on it", async () => {
    const hop = await hopBy("via 192.0.2.2 dev eth0", "routes", pod, { loss: { lost: 12, of: 50 } });
    assert.match(hop.words, /\(routes, 0\.50 ms, 12 of the last 50 probes lost\)/);
  });

  const pod = { address: "10.42.1.7", node: "b" };
  const cases: readonly (readonly [route: string, mode: PeerLink["mode"], isOk: boolean])[] = [
    ["via 192.0.2.2 dev eth0", "routes", true],
    ["via 192.0.2.254 dev eth0", "routes", false],
    ["via 10.42.1.0 dev styrmann-vxlan", "vxlan", true],
    ["via 192.0.2.254 dev eth0", "vxlan", false],
    ["dev styrmann-wg", "wireguard", true],
    ["via 192.0.2.254 dev eth0", "wireguard", false],
  ];
  for (const [route, mode, isOk] of cases)
    test(`by ${mode}: "${route}" is ${isOk ? "it" : "somebody else's"}, whatever the last probe said`, async () => {
      const hop = await hopBy(route, mode, pod);
      assert.equal(hop.isOk, isOk);
      if (!isOk) assert.match(hop.words, /but that is not the pod network's way/);
    });

  test("an address that is of another node than the pod is no way to it", async () => {
    const hop = await hopBy("dev styrmann", "routes", { address: "10.42.0.2", node: "b" });
    assert.equal(hop.isOk, false);
    assert.match(hop.words, /^10\.42\.0\.2 is of node a, and what is meant runs on node b/);
    assert.match(hop.advice ?? "", /styr drain b/);
  });

  test("the other host's own address is not on the pods' way: whatever that is worth, it is reached as hosts reach each other", async () => {
    const words = "packets with pods' addresses do not pass the link between the hosts, so they are wrapped";
    const hop = await hopBy(
      "via 192.0.2.254 dev eth0",
      "vxlan",
      { address: "192.0.2.2" },
      { state: "unreachable", mtu: 1450, words },
    );
    assert.deepEqual(hop, {
      ...{ at: "a", what: "route", isOk: true },
      words: "192.0.2.2 is on node b: via 192.0.2.254 dev eth0",
    });
    assert.equal((await hopBy("via 10.42.1.0 dev x", "vxlan", pod, { state: "unreachable" })).isOk, false);
  });

  test("where nothing comes back it is said whether anybody hears that node: only then is it the way between the two", async () => {
    const words = "nothing comes back from it, through VXLAN (UDP port 8472)";
    const seen = { state: "unreachable", rttMs: undefined, words } as const;
    const by = "10.42.1.7 is on node b: via 10.42.1.0 dev x (vxlan)";
    const cut = await hopBy("via 10.42.1.0 dev x", "vxlan", pod, seen);
    assert.equal(cut.words, `${by}; ${words}, though the control plane has not lost node b`);
    assert.match(cut.advice ?? "", /^the way between a and b \(192\.0\.2\.2\), in one direction or both/);
    const off = await hopBy("via 10.42.1.0 dev x", "vxlan", pod, { ...seen, isSilent: true });
    assert.equal(off.words, `${by}; ${words}`);
    assert.match(off.advice ?? "", /^does node b run\?/);
  });
});
