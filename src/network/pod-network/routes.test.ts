import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { netNames, tunnelAddressOf, tunnelMacOf } from "./names.ts";
import type { PeerPlan } from "./plan.ts";
import { differences, type Present, type Wanted } from "./routes.ts";

const peer = (n: number, mode: "routes" | "vxlan"): PeerPlan => ({
  ...{ node: `n${n}`, address: `192.0.2.${n}`, podRange: `10.42.${n}.0/24`, gateway: `10.42.${n}.1`, mode, mtu: 1500 },
  device: mode === "routes" ? "eth0" : "vx",
});
const NOTHING: Present = { routes: [], neighbours: [], forwarding: [] };
const wanted = (peers: readonly PeerPlan[]): Wanted => ({ own: "10.42.0.0/24", peers, vxlan: "vx", protocol: "142" });

/** What the kernel would show after these lines. */
function after({ routes, neighbours, forwarding }: Present, lines: ReturnType<typeof differences>): Present {
  const table = new Map(routes.map((route) => [route.dst, route]));
  const arp = new Map(neighbours.map((one) => [one.dst, one]));
  const fdb = new Map(forwarding.map((one) => [one.mac, one]));
  for (const line of [...lines.ip, ...lines.bridge]) {
    const words = line.split(" ");
    const of = (word: string) => (words.includes(word) ? (words[words.indexOf(word) + 1] as string) : undefined);
    const [what, verb, first = "", second = ""] = words;
    if (what === "route" && verb === "del") table.delete(first === "unreachable" ? second : first);
    else if (what === "route" && first === "unreachable") table.set(second, { dst: second, type: "unreachable" });
    else if (what === "route") {
      const [gateway, dev] = [of("via"), of("dev")];
      table.set(first, { dst: first, ...(gateway ? { gateway } : {}), ...(dev ? { dev } : {}) });
    } else if (what === "neigh" && verb === "del") arp.delete(first);
    else if (what === "neigh") arp.set(first, { dst: first, lladdr: of("lladdr") ?? "" });
    else if (verb === "del") fdb.delete(first);
    else fdb.set(first, { mac: first, dst: of("dst") ?? "" });
  }
  return { routes: [...table.values()], neighbours: [...arp.values()], forwarding: [...fdb.values()] };
}

describe("routes to other nodes' pods", () => {
  test("a node on the link is one route, a wrapped one a route, a neighbour and where its packets go", () => {
    assert.deepEqual(differences(wanted([peer(1, "routes"), peer(2, "vxlan")]), NOTHING), {
      ip: [
        "neigh replace 10.42.2.0 lladdr 0e:42:0a:2a:02:00 dev vx nud permanent",
        "route replace 10.42.1.0/24 via 192.0.2.1 dev eth0 proto 142",
        "route replace 10.42.2.0/24 via 10.42.2.0 dev vx proto 142 onlink src 10.42.0.0",
        "route replace unreachable 10.42.0.0/24 metric 4278198272 proto 142",
      ],
      bridge: ["fdb replace 0e:42:0a:2a:02:00 dev vx dst 192.0.2.2 self permanent"],
    });
  });

  test("the refusal of a range that was this host's goes, and the way to the node that has it now stays", () => {
    const found: Present = {
      ...NOTHING,
      routes: [
        { dst: "10.42.1.0/24", dev: "eth0", gateway: "192.0.2.1" },
        { dst: "10.42.1.0/24", type: "unreachable" },
        { dst: "10.42.0.0/24", type: "unreachable" },
      ],
    };
    assert.deepEqual(differences(wanted([peer(1, "routes")]), found).ip, [
      "route del unreachable 10.42.1.0/24 proto 142",
    ]);
  });

  test("a node to which nothing may be sent is reached by no other route either", () => {
    const { ip } = differences({ ...wanted([]), refused: ["10.42.7.0/24"] }, NOTHING);
    assert.ok(ip.includes("route replace unreachable 10.42.7.0/24 metric 4278198272 proto 142"));
  });

  test("from whatever there is, one pass leads to what is wanted, and the next writes nothing", () => {
    const peers = fc
      .array(fc.record({ n: fc.integer({ min: 1, max: 200 }), isWrapped: fc.boolean() }), { maxLength: 12 })
      .map((all) => [...new Map(all.map((one) => [one.n, peer(one.n, one.isWrapped ? "vxlan" : "routes")])).values()]);
    fc.assert(
      fc.property(peers, peers, (before, now) => {
        const found = after(NOTHING, differences(wanted(before), NOTHING));
        const done = after(found, differences(wanted(now), found));
        assert.deepEqual(differences(wanted(now), done), { ip: [], bridge: [] });
        assert.deepEqual(
          done.routes.map(({ dst }) => dst).sort(),
          ["10.42.0.0/24", ...now.map(({ podRange }) => podRange)].sort(),
        );
        assert.equal(done.neighbours.length, now.filter(({ mode }) => mode === "vxlan").length);
      }),
    );
  });

  test("every node computes another's end of a tunnel alike, and no two ends are the same", () => {
    assert.equal(tunnelAddressOf("10.42.7.0/24"), "10.42.7.0");
    assert.equal(tunnelMacOf("10.42.7.0/24"), "0e:42:0a:2a:07:00");
  });

  test("names of two networks on one host differ, and fit into the kernel's", () => {
    const all = ["styrmann", "other", "a-network-with-a-very-long-name", "a-network-with-a-very-long-namf"].map(
      netNames,
    );
    for (const field of ["bridge", "vxlan", "wireguard", "forward", "nat"] as const) {
      assert.equal(new Set(all.map((names) => names[field])).size, all.length, field);
      for (const names of all)
        assert.ok(names[field].length <= (["forward", "nat"].includes(field) ? 28 : 15), names[field]);
    }
    assert.deepEqual([all[0]?.bridge, all[0]?.vxlan, all[0]?.protocol], ["styrmann", "styrmann-vxlan", "142"]);
  });
});
